"""What runs are called in pictures, and in which order they stand."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

from gradviz.frames._run import FAMILIES, Run


def label_runs(runs: Sequence[Run]) -> list[Run]:
    """Runs ordered by family, without clipping first, with labels that tell them apart and are no longer than that takes."""
    families = [*FAMILIES, "other"]
    ordered = sorted(runs, key=lambda run: (families.index(run.family), run.clipped, _task(run), run.name, str(run.path)))
    alike = defaultdict(list)
    for run in ordered:
        alike[_label(run)].append(run)
    labels = {label: iter(_told_apart(label, group)) for label, group in alike.items()}
    return [dataclasses.replace(run, label=next(labels[_label(run)])) for run in ordered]


def _told_apart(label: str, group: Sequence[Run]) -> list[str]:
    """The label of each run of a group, with the fewest facts that make it its own."""
    for count in range(len(_EXTRAS) + 1):
        for extras in combinations(_EXTRAS, count):
            labels = [", ".join([label, *(extra(run) for extra in extras)]) for run in group]
            if len(set(labels)) == len(labels):
                return labels
    return [f"{label} ({number})" for number in range(1, len(group) + 1)]  # the same folder twice


def _label(run: Run) -> str:
    cell = FAMILIES.get(run.family) or run.setting("model", "cell", "name") or run.name
    if "clipped" in run.unmeasured:
        return cell  # a log that says nothing of clipping
    return f"{cell}, {'clipped' if run.clipped else 'not clipped'}"


def _task(run: Run) -> str:
    return run.setting("task", "name")


def _layers(run: Run) -> str:
    count = run.setting("model", "layers")
    ways = {"both": ", both directions", "backward": ", read backward"}.get(run.setting("model", "direction"), "")
    return f"{count} layer{'' if count == '1' else 's'}{ways}"


def _cell(run: Run) -> str:
    return run.setting("model", "cell", "name")


def _rule(run: Run) -> str:
    return run.setting("training", "clipping", "name")


def _name(run: Run) -> str:
    return run.name


def _path(run: Run) -> str:
    return str(run.path)


_EXTRAS: tuple[Callable[[Run], str], ...] = (_task, _layers, _cell, _rule, _name, _path)
