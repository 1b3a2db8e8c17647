"""The top of the page, computed from the runs: the claim, what to know before reading on, and at most four verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradviz.charts._words import sentence, spoken
from gradviz.findings import ORDER, Verdict
from gradviz.findings._summary import headline, row
from gradviz.frames import Run
from gradviz.reports.kinds._base import by_task, task_of
from gradviz.wording import listed, number, number_of_log, percent, steps

Heads = dict[Path, Verdict]
CARDS = 4
NAMED = 3  # runs that a claim names, at most
LARGE: dict[str, Callable[[float], str]] = {
    "growth_decades": lambda decades: f"×{number_of_log(decades)}",
    "half_life_end": steps,
    "median_angle": lambda angle: f"{number(angle)}°",
    "share_clipped": percent,
    "horizon": steps,
    "step": lambda step: f"step {step:.0f}",
}
BETTER = 0.9  # a loss is called lower if it is below this share of the other
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
WHAT = (
    "The loss at the end of a sequence teaches about an early step only through a gradient that every step in between multiplies. "
    "This page follows that gradient, run by run, through training."
)


@dataclass(frozen=True)
class Card:
    """One verdict for the runs that share it; number: the piece of evidence to print large."""

    code: str
    severity: str
    word: str
    number: str
    who: str
    summary: str


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    heads = {run.path: headline(run) for run in runs}
    return {"claim": claim(runs, heads), "lede": WHAT, "facts": facts(runs), "cards": cards(runs, heads)}


def claim(runs: Sequence[Run], heads: Heads) -> str:
    """What the runs show together, as sentences a reader could doubt; else how many findings are critical."""
    said = [part for members in by_task(runs).values() for part in (_rescued(members, heads), _remembered(members, heads)) if part]
    return " ".join(said) or _counted(runs, heads)


def _rescued(runs: Sequence[Run], heads: Heads) -> str:
    """A run that explodes and learns less than its clipped twin, which does not."""
    for free in (run for run in runs if heads[run.path].code == "exploding" and heads[run.path].severity == "critical"):
        for twin in (run for run in runs if run.clipped and run.family == free.family):
            lost, won = float(row(free)["loss"]), float(row(twin)["loss"])
            if heads[twin.path].severity != "critical" and won < BETTER * lost:
                who = spoken([free], [free])
                return f"Without clipping {who} explodes and ends at a loss of {number(lost)}, with clipping at {number(won)}."
    return ""


def _remembered(runs: Sequence[Run], heads: Heads) -> str:
    """On a task with a known lag: in which runs the gradient gets there, if not in all."""
    lags = {run.meta.get("lag") for run in runs}
    there = [run for run in runs if heads[run.path].severity == "good"]
    if None in lags or len(lags) > 1 or not there or len(there) == len(runs):
        return ""
    return f"On {task_of(there[0])}, only in {spoken(there, runs)} does the gradient reach back {lags.pop()} steps."


def _counted(runs: Sequence[Run], heads: Heads) -> str:
    bad = [run for run in runs if heads[run.path].severity == "critical"]
    if len(runs) == 1 and bad:
        return f"{runs[0].label}: one critical finding, “{heads[runs[0].path].word}”."
    if not bad:
        return f"No critical finding in {'this run' if len(runs) == 1 else f'these {_count(len(runs))} runs'}."
    named = [f"{run.label} ({heads[run.path].word})" for run in bad[:NAMED]]
    named += [f"{_count(len(bad) - NAMED)} more"] if len(bad) > NAMED else []
    return f"Critical findings in {_count(len(bad))} of {_count(len(runs))} runs: {listed(named)}."


def facts(runs: Sequence[Run]) -> str:
    """How many runs of which task, and how large: Nine runs: six on text, three on adding. 64 units, 400–500 updates."""
    groups = by_task(runs)
    per_task = listed([f"{_count(len(members))} on {task}" for task, members in groups.items()])
    head = f"{sentence(_count(len(runs)))} run{'s' if len(runs) > 1 else ''}"
    head += f": {per_task}" if len(groups) > 1 else f" on {next(iter(groups))}"
    models = [run.meta["experiment"]["model"] for run in runs]
    units, layers = (_span([model[name] for model in models]) for name in ("units", "layers"))
    updates = _span([run.meta["experiment"]["training"]["updates"] for run in runs])
    size = "" if units == "0" else f"{units} units in {layers} layer{'' if layers == '1' else 's'}, "  # of imported runs nobody knows
    return f"{head}. {size}{updates} updates."


def cards(runs: Sequence[Run], heads: Heads) -> list[Card]:
    """Different words only; first the first of each severity, so that good news is seen too, then the next of each."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((heads[run.path].severity, heads[run.path].word), []).append(run)
    rank = {key: [other for other in groups if other[0] == key[0]].index(key) for key in groups}
    chosen = sorted(sorted(groups, key=lambda key: (rank[key], ORDER.index(key[0])))[:CARDS], key=lambda key: ORDER.index(key[0]))
    return [_card(groups[key], heads, runs) for key in chosen]


def _card(members: list[Run], heads: Heads, runs: Sequence[Run]) -> Card:
    first = min(members, key=lambda run: "lag" not in heads[run.path].numbers)  # a task that needs a lag makes the stronger case
    verdict = heads[first.path]
    more = f", and {_count(len(members) - 1)} more" if len(members) > 1 else ""
    return Card(verdict.code, verdict.severity, verdict.word, _large(verdict), first.label + more, verdict.summary)


def _large(verdict: Verdict) -> str:
    """The number of its evidence that says most: how much was shortened, how far the gradient grew, how soon it halves …"""
    if verdict.numbers.get("share_shortened", 0.0) > 0:
        return percent(verdict.numbers["share_shortened"])
    name = next((name for name in LARGE if name in verdict.numbers), next(iter(verdict.numbers), ""))
    return LARGE.get(name, number)(float(verdict.numbers[name])) if name else "–"


def _span(values: Sequence[int]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)}–{max(values)}"


def _count(n: int) -> str:
    return COUNTS[n] if n < len(COUNTS) else str(n)
