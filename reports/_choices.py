"""What a reader may choose in the page: a chart described at several training steps, tokens, or runs."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.charts import CHARTS, Chart, Description
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.reports.kinds import Picture

POSITIONS = 12  # of a slider, at most: spread evenly, with the first and the last
OPTIONS = {"step": ("step",), "token": ("token", "position")}  # what the charts' own options are called


@dataclass(frozen=True)
class Moment:
    """One position of a control. name: what stands beside the control; spoken: the same in full, for who does not see it."""

    name: str
    spoken: str
    said: Description


def described(picture: Picture) -> tuple[Description, tuple[Moment, ...]]:
    """What the chart says when the page opens, and at every position of its control, if there are at least two. The page opens at the
    last training step or token, and at the run that the picture names, or else the first."""
    choices = _choices(picture)
    if len(choices) < 2:
        return _chart(picture).describe(picture.runs), ()
    every = [Moment(name, spoken, _chart(picture, **options).describe(runs)) for name, spoken, options, runs in choices]
    moments = tuple(moment for moment in every if not moment.said.missing)
    return _opening(picture, moments or every).said, moments if len(moments) > 1 else ()


def _opening(picture: Picture, moments: Sequence[Moment]) -> Moment:
    """The position that the page opens at, and paper shows."""
    if picture.choose != "run":
        return moments[-1]
    return next((moment for moment in moments if moment.name == picture.opens), moments[0])


def _chart(picture: Picture, **more: Any) -> Chart:
    return CHARTS[picture.chart](**{**picture.options, **more})


Choices = list[tuple[str, str, dict[str, Any], tuple[Run, ...]]]  # name, in full, options, runs


def _choices(picture: Picture) -> Choices:
    if picture.choose == "step":
        option = _option(picture)
        return [(f"{step}", f"training step {step}", {option: step}, picture.runs) for step in shared_steps(picture.runs)]
    if picture.choose == "token":
        option, words = _option(picture), _chart(picture).tokens(picture.runs)
        return [
            (f"“{words[at]}”, step {at}", f"token {words[at]} at time step {at}", {option: at}, picture.runs)
            for at in spread(range(1, len(words)))
        ]
    return [(run.label, run.label, {}, (run,)) for run in picture.runs] if picture.choose == "run" else []


def _option(picture: Picture) -> str:
    """The chart's option that a control sets."""
    known = {item.name for item in dataclasses.fields(CHARTS[picture.chart])}  # type: ignore[arg-type]
    found = next((name for name in OPTIONS[picture.choose] if name in known), "")
    if not found:
        raise GradvizError(f"{picture.chart} has no option `{OPTIONS[picture.choose][0]}` to choose; leave `choose` out.")
    return found


def shared_steps(runs: Sequence[Run]) -> list[int]:
    """Training steps at which every run has measured its reach; not all of them if there are many."""
    recorded = [set(run.reach_steps) for run in runs if run.reach_steps]
    return spread(sorted(set.intersection(*recorded)) if recorded else [])


def spread(values: Sequence[int]) -> list[int]:
    return [values[round(at)] for at in np.linspace(0, len(values) - 1, min(POSITIONS, len(values)))]
