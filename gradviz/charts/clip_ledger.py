"""Clip ledger: the gradient's norm before clipping at every training step, and which steps the rule shortened."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._common import MARKERS, aside, clipping, colour, fit, grid, heading, left_out, nothing, rails, short, stack, training
from gradviz.charts._description import Axis, Description, Line, Mark, Panel, Points, Rule, log10
from gradviz.charts._words import sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, percent, span

COLUMNS = ("run", "step", "norm_before", "norm_after", "clipped", "cosine", "threshold")
NAMED = 3  # runs that a title tells one by one
FAR = 10.0  # thresholds: a norm above that explodes
LOOK_FOR = (
    "Healthy is a cloud of open marks below the line with a few filled ones above it: clipping is the exception. "
    "A cloud that sits above the line all through means that the threshold, not the learning rate, sets the length of the steps."
)


@dataclass(frozen=True)
class ClipLedger(Chart):
    """every: draw one training step in so many (the frame always holds all of them)."""

    needs = ("steps",)
    purpose = "gradient norm before clipping, threshold, and which steps were shortened"

    every: int = option(1, "draw one training step in so many", low=1)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        shown, columns = grid([run for run in runs if len(run.steps)])
        if not shown:
            return nothing("clip_ledger", "No run has trained a step yet: table `steps` is empty.", COLUMNS, LOOK_FOR)
        frames = {run.label: run.steps.assign(run=run.label)[list(COLUMNS)] for run in shown}
        frame = stack(list(frames.values()), COLUMNS)
        logs = [log10(frame["norm_before"].to_numpy()), log10(frame["threshold"].to_numpy())]
        axes = training(frame), Axis("gradient norm", "log", fit(logs, least=2))
        panels = tuple(
            Panel((*self._marks(run, rows), *_turns(run, rows)), *axes, heading(run), colour(run), _note(run, rows, shown))
            for run in shown
            for rows in [frames[run.label]]
        )
        filled = [("dot", "shortened"), ("ring", "kept as it is")] if any(run.clipped for run in shown) else []
        return Description(
            "clip_ledger",
            _title(shown, frames),
            "Norm of the whole gradient before clipping, one mark per training step. Log scale. Line: clipping threshold. Medians: second "
            "half of training. Cosine: of the angle between the gradient before and after, 1 if clipping keeps its direction."
            f"{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            panels,
            columns=columns,
            key=(*filled, *rails(logs[:1])),
            source="Pascanu, Mikolov and Bengio 2013, section 3.2 (norm clipping)",
        )

    def _marks(self, run: Run, frame: pd.DataFrame) -> tuple[Mark, ...]:
        """Kept steps open, grey beside shortened ones; those filled and on top; the threshold."""
        acted, marker = frame["clipped"].to_numpy(bool), MARKERS.get(run.family, "circle")
        kinds = (("kept as it is", ~acted, "ghost" if run.clipped else colour(run)), ("shortened", acted, colour(run)))
        marks: list[Mark] = []
        for name, which, fill in kinds:
            some = frame[which].iloc[:: self.every]
            if len(some):
                step, norm = some["step"].to_numpy(), log10(some["norm_before"].to_numpy())
                marks.append(Points(step, norm, name, fill, marker, filled=name == "shortened", small=True))
        return (*marks, *_threshold(frame))


def _threshold(frame: pd.DataFrame) -> list[Mark]:
    """A rule, a line if it moves, nothing if there is none."""
    known = frame["threshold"].dropna()
    if known.empty:
        return []
    if known.nunique() == 1:
        return [Rule(float(log10([known.iloc[0]])[0]), label=f"threshold {number(float(known.iloc[0]))}")]
    return [Line(frame["step"].to_numpy(), log10(frame["threshold"].to_numpy()), "threshold", "ink", label="threshold")]


def _turns(run: Run, frame: pd.DataFrame) -> list[Mark]:
    """Where a rule was changed by hand that is no limit on the norm, so that no threshold shows it."""
    if frame["threshold"].notna().any():
        return []
    felt = [change for change in run.changes if change[0] <= frame["step"].max()]
    return [Rule(float(step), "up", f"{option.rsplit('.', 1)[-1]} {number(after)}", dashed=True) for step, option, _, after in felt]


def _note(run: Run, frame: pd.DataFrame, runs: Sequence[Run]) -> str:
    if not run.clipped:
        return f"{aside(run, runs)}, median {number(_middle(frame))}"
    peers = [peer for peer in runs if peer.family == run.family and peer.clipped]
    name = f"{short(run, peers).removeprefix(f'{clipping(run)}, ')}: " if len(peers) > 1 else ""
    if turned := _turned(run, frame):
        before, after = (percent(_share(part)) for part in turned)
        return f"{name}{before} shortened before step {run.changes[-1][0]}, {after} from there on"
    cosine = frame.loc[frame["clipped"].astype(bool), "cosine"].mean()
    direction = "" if np.isnan(cosine) else f", cosine {cosine:.2f}"
    return f"{name}{percent(_share(frame))} shortened{direction}"


def _turned(run: Run, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The steps before the last change by hand, back to the one before it, and those from there on; None without both."""
    starts = [0, *(change[0] for change in run.changes)]
    if len(starts) == 1:
        return None
    since = frame["step"] >= starts[-1]
    before = frame[~since & (frame["step"] >= starts[-2])]
    return (before, frame[since]) if len(before) and since.any() else None


def _share(frame: pd.DataFrame) -> float:
    return float(frame["clipped"].astype(bool).mean())


def _middle(frame: pd.DataFrame) -> float:
    """Median norm over the second half of training; NaN if one there is not a number."""
    late = frame["norm_before"].to_numpy()[len(frame) // 2 :]
    with np.errstate(invalid="ignore"):
        return float(np.median(late))


def _title(runs: Sequence[Run], frames: dict[str, pd.DataFrame]) -> str:
    held = [run for run in runs if run.clipped]
    if len(runs) == 1 and (turned := _turned(runs[0], frames[runs[0].label])):
        return _effect(runs[0], *turned)
    if not held:
        middle = [_middle(frames[run.label]) for run in runs]
        parts = [f"{number(value)} in {spoken([run], runs)}" for value, run in zip(middle, runs, strict=True)]
        said = f"{span(middle)} in {spoken(runs, runs)}" if np.isfinite(middle).all() else listed(parts)
        if any("clipped" in run.unmeasured for run in runs):
            return sentence(f"in the second half of training the median gradient norm is {said}", "Gradient norms of logs")
        return sentence(f"nothing is clipped; in the second half of training the median norm is {said}", "Nothing is clipped")
    tamed = [said for free, clipped in _pairs(runs) if (said := _led(frames[free.label], clipped, frames[clipped.label]))]
    text = "; ".join(tamed) if tamed else f"clipping shortens {_shares(held, frames)}"
    return sentence(text, f"Gradient norms and clipping in {len(runs)} runs")


def _effect(run: Run, before: pd.DataFrame, after: pd.DataFrame) -> str:
    """What the last change by hand did to the share of shortened steps."""
    step, option, old, new = run.changes[-1]
    said = f"{option.rsplit('.', 1)[-1]} {number(new)} instead of {number(old)} from step {step} on"
    shares = percent(_share(before)), percent(_share(after))
    effect = f"clipping shortens {shares[1]} of the steps, as before" if len(set(shares)) == 1 else (
        f"clipping shortens {shares[1]} of the steps, before it was {shares[0]}"
    )  # fmt: skip
    return sentence(f"with {said}, {effect}", "The clipping threshold was changed")


def _led(free: pd.DataFrame, run: Run, clipped: pd.DataFrame) -> str:
    """Said if the clipped run begins far above its threshold and leaves for good what the unclipped one stays in or returns to."""
    if run.changes:  # ten thresholds are not one number
        return ""
    level = FAR * float(clipped["threshold"].median())
    since, later = _settled(clipped, level), _settled(free, level)
    if np.isnan(level) or not _above(clipped, level)[0] or since > len(clipped) / 2 or later < since + len(free) / 4:
        return ""
    until = f"only from step {later}" if later < len(free) else "never for good"
    return (
        f"clipping led {spoken([run], [run])} out of the exploding region: its norm stays below {FAR:g} thresholds from step {since} on, "
        f"without clipping {until}"
    )


def _above(frame: pd.DataFrame, level: float) -> Array:
    """Where the norm is not below `level`: NaN and infinity count."""
    above: Array = ~(frame["norm_before"].to_numpy() < level)
    return above


def _settled(frame: pd.DataFrame, level: float) -> int:
    """The first row from which on the norm stays below `level`; the number of rows if it never does."""
    above = np.flatnonzero(_above(frame, level))
    return int(above[-1]) + 1 if len(above) else 0


def _shares(held: Sequence[Run], frames: dict[str, pd.DataFrame]) -> str:
    if len(held) > NAMED:
        shares = [_share(frames[run.label]) for run in held]
        most = held[int(np.argmax(shares))]
        return f"{span(shares, percent)} of the steps in {len(held)} runs, most in {spoken([most], held)}"
    first, *rest = [(percent(_share(frames[run.label])), spoken([run], held)) for run in held]
    return listed([f"{first[0]} of the steps in {first[1]}", *(f"{share} in {name}" for share, name in rest)])


def _pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The unclipped and the clipped run of each family that has one of each."""
    found = []
    for family in dict.fromkeys(run.family for run in runs):
        pair = sorted((run for run in runs if run.family == family), key=lambda run: run.clipped)
        if [run.clipped for run in pair] == [False, True]:
            found.append((pair[0], pair[1]))
    return found
