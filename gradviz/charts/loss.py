"""Loss curves, smoothed, the held-out loss as points, and what ignorance scores as dashed lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import (
    colour,
    families,
    fit,
    heading,
    left_out,
    nothing,
    once,
    rails,
    samples,
    short,
    smooth,
    stack,
    style,
    training,
)
from gradviz.charts._description import Axis, Description, Line, Mark, Panel, Points, Rule, log10
from gradviz.charts._held_out import held_out, marks, told
from gradviz.charts._words import sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, percent, span

COLUMNS = ("run", "step", "loss", "smoothed", "of")
POINTS = (("ring", "held-out loss"), ("dot", "its lowest"))
TAIL = 20  # updates whose mean loss counts as the end
ALIKE = 0.05  # losses closer than this share are told as alike
WIDE = 30.0  # from this ratio of largest to smallest loss on, a linear axis hides the end
LOOK_FOR = (
    "Healthy is a curve that passes below the dashed lines, each of which needs no network at all, and goes on falling, with its held-out "
    "points beside it. Sick is one that never leaves such a line, jumps up, stops because the loss is no longer a number, or falls while "
    "its held-out points rise: it learns by heart."
)
LOOK_FOR_ALONE = (
    "Healthy is a curve that goes on falling. Sick is one that stays level, jumps up, or stops because the loss is no longer a number."
)
GUESSING = "Dashed: the loss of guessing without a network. "


@dataclass(frozen=True)
class Loss(Chart):
    """window: updates over which the curve is averaged; scale auto: log if the losses span more than a factor of 30."""

    needs = ("steps",)
    purpose = "training loss against the scores of guessing"

    window: int = option(10, "updates in the moving mean; 1 draws every update", low=1)
    scale: str = option("auto", "axis of the loss", choices=("auto", "linear", "log"))

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        shown = [run for run in runs if len(run.steps) and "loss" not in run.unmeasured]
        if not shown:
            why = "No log holds a loss" if any(len(run.steps) for run in runs) else "No run has trained a step yet: table `steps` is empty"
            return nothing("loss", f"{why}.", COLUMNS, LOOK_FOR)
        frame, held = stack([self._frame(run) for run in shown], COLUMNS), stack([held_out(run) for run in shown], COLUMNS)
        whole = stack([frame, held], COLUMNS)
        log = self.scale == "log" or (self.scale == "auto" and _ratio(frame["smoothed"].to_numpy()) > WIDE)
        axes = training(whole), _axis(whole, shown, log)
        panels = tuple(
            Panel((*_marks(group, whole, log), *_points(group, held, log)), *axes, title, colour(group[0]), _note(group, frame))
            for title, group in families(shown)
        )
        return Description(
            "loss",
            _title(shown, frame),
            f"Mean training loss per counted time step ({_unit(shown)}), {'log' if log else 'linear'} scale, {_averaged(self.window)}. "
            f"{GUESSING if _baselines(shown) else ''}"
            f"Numbers: mean of the last {TAIL} updates.{told(shown, held)}"
            f"{left_out(runs, shown)}",
            LOOK_FOR if _baselines(shown) else LOOK_FOR_ALONE,
            whole,
            once(panels),
            columns=min(3, len(panels)),
            key=(*samples(shown), *(POINTS if len(held) else ()), *rails([whole["smoothed"].to_numpy()], log=False)),
            source="Mikolov et al. 2010 (loss per token); Shannon 1951 (what counting letters scores)",
        )

    def _frame(self, run: Run) -> pd.DataFrame:
        steps = run.steps
        loss = steps["loss"].to_numpy(np.float64)
        told = {"run": run.label, "step": steps["step"].to_numpy(), "loss": loss, "smoothed": smooth(loss, self.window)}
        return pd.DataFrame({**told, "of": "training"})


def ending(loss: np.ndarray) -> float:
    """Mean loss of the last updates; not finite if one of them is not."""
    with np.errstate(invalid="ignore"):
        return float(np.mean(loss[-TAIL:]))


def _averaged(window: int) -> str:
    return "every update" if window == 1 else f"moving mean over {window} updates"


def _unit(runs: Sequence[Run]) -> str:
    names = {str(run.meta.get("signature", {}).get("loss", "")) for run in runs}
    words = ["squared error" if name == "squared" else "nats" for name in sorted(names) if name]
    return " or ".join(dict.fromkeys(words)) or "in the unit of its training"


def _ratio(loss: np.ndarray) -> float:
    usable = loss[np.isfinite(loss) & (loss > 0)]
    return float(usable.max() / usable.min()) if len(usable) else 1.0


def _baselines(runs: Sequence[Run]) -> dict[str, float]:
    """Baselines of the tasks shown, highest first."""
    found = {name: float(value) for run in runs for name, value in (run.meta.get("baselines") or {}).items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _axis(frame: pd.DataFrame, runs: Sequence[Run], log: bool) -> Axis:
    values = np.concatenate([frame["smoothed"].to_numpy(), list(_baselines(runs).values())])
    if log:
        return Axis("loss", "log", fit([log10(values)]))
    usable = values[np.isfinite(values)]
    return Axis("loss", limits=(0.0, 1.05 * float(usable.max()) if len(usable) and usable.max() > 0 else 1.0))


def _marks(group: Sequence[Run], frame: pd.DataFrame, log: bool) -> tuple[Mark, ...]:
    lines = {f"{name} {number(value, 3)}": log10([value])[0] if log else value for name, value in _baselines(group).items()}
    rules = [Rule(float(value), label=label, dashed=True) for label, value in lines.items()]
    curves = []
    for run in group:
        mine = frame[frame["run"] == run.label]
        rows = mine[mine["of"] == "training"]
        value = rows["smoothed"].to_numpy()
        said = short(run, group) or ("training" if len(rows) < len(mine) else "")
        label = f"{said} {number(ending(rows['loss'].to_numpy()), 3)}".strip()
        curves.append(Line(rows["step"].to_numpy(), log10(value) if log else value, run.label, **style(run), label=label))
    return (*rules, *curves)


def _points(group: Sequence[Run], held: pd.DataFrame, log: bool) -> list[Points]:
    return [point for run in group for point in marks(run, held, log)]


def _note(group: Sequence[Run], frame: pd.DataFrame) -> str:
    """Where a loss stopped being a number."""
    broken = frame[frame["run"].isin([run.label for run in group]) & ~np.isfinite(frame["loss"])]
    return f"not finite from step {broken['step'].min()}" if len(broken) else ""


def _title(runs: Sequence[Run], frame: pd.DataFrame) -> str:
    """What clipping changed in each pair; without pairs, who gets below all guessing; else where each ends."""
    end = {run.label: ending(frame.loc[frame["run"] == run.label, "loss"].to_numpy()) for run in runs}
    pairs = [group for _, group in families(runs) if sorted(run.clipped for run in group) == [False, True]]
    if pairs and sum(len(pair) for pair in pairs) == len(runs):
        return _of_pairs(pairs, end)
    lowest = min(_baselines(runs).values(), default=None)
    if lowest and len({repr(run.meta.get("baselines")) for run in runs}) == 1:
        return _against(runs, end, lowest)
    text = listed([f"{spoken([run], runs)} ends at a loss of {number(end[run.label], 3)}" for run in runs])
    return sentence(text, f"Training loss of {len(runs)} runs")


def _of_pairs(pairs: list[list[Run]], end: dict[str, float]) -> str:
    """The pairs that clipping changes first, then those it does not."""
    changed, same = [], []
    for pair in pairs:
        free, held = sorted(pair, key=lambda run: run.clipped)
        before, after = end[free.label], end[held.label]
        gap = abs(after - before) / before if before else np.inf
        if gap <= ALIKE:  # not so if one of them is not finite
            same.append((f"the {heading(held)}", gap))
        else:
            changed.append(f"with clipping the {heading(held)} ends at a loss of {number(after, 3)} instead of {number(before, 3)}")
    if same:
        most = percent(max(gap for _, gap in same))
        changed.append(f"{'it' if changed else 'clipping'} changes the loss by {most} at most in {listed([name for name, _ in same])}")
    return sentence("; ".join(changed))


def _against(runs: Sequence[Run], end: dict[str, float], lowest: float) -> str:
    below = [run for run in runs if end[run.label] < (1 - ALIKE) * lowest]
    above = [run for run in runs if run not in below]
    if not below:
        return sentence(
            f"{spoken(above, runs)} {_verb('does', above)} not get below the best guess without a network ({number(lowest, 3)})"
        )
    losses = span([end[run.label] for run in below], lambda value: number(value, 3))
    ends = f"{spoken(below, runs)} {_verb('ends', below)} at {losses}, below the best guess ({number(lowest, 3)})"
    return sentence(ends if not above else f"{ends}; {spoken(above, runs)} {_verb('does', above)} not get there")


def _verb(word: str, runs: Sequence[Run]) -> str:
    return word if len(runs) == 1 else {"does": "do", "ends": "end"}[word]
