"""Lyapunov strip: by how much each direction of the state space is stretched per step while a sequence is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, fit, grid, heading, held, left_out, nothing, once, rails, stack, style
from gradviz.charts._description import Axis, Description, Line, Mark, Panel, Rule
from gradviz.charts._reopened import LEFT_OUT, MOST, Known, asked
from gradviz.charts._twice import Twice, twice
from gradviz.charts._words import chunks, sentence, spoken
from gradviz.dynamics.jacobians import follow, in_pieces
from gradviz.dynamics.lyapunov import SETTLED, Spectrum, spectrum
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, span

COLUMNS = ("run", "when", "index", "share", "exponent", "steps", "states", "drift")
LOOK_FOR = (
    "Healthy is a strip whose beginning lies just below zero: some directions keep what they carry for many steps. "
    "Above zero small differences grow, and gradients with them; far below, everything is forgotten at once."
)


@dataclass(frozen=True)
class Strip:
    """spectrum: the largest exponents; states: how many there are in all; joined: whether several sequences were read, one after the
    other."""

    spectrum: Spectrum
    states: int
    joined: bool = False


@dataclass(frozen=True)
class Lyapunov(Chart):
    """steps: that are read; a language model reads held-out sequences one after the other if one is shorter."""

    needs = ()
    exact: ClassVar[bool] = True
    purpose = "how fast small differences of the state grow or fade, direction by direction"

    example: int = option(0, "held-out sequence that is read, or read first, counted from 0", low=0)
    steps: int = option(100, "most steps that are read; the first tenth of them is warm-up", low=20)
    count: int = option(32, "how many exponents, the largest; 0 is all of them", low=0)
    start: bool = option(True, "also draw the network before training, in grey")

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        looked = twice(runs, lambda run, known: _strip(known, self._more(run, known), self.steps, self.count), self.example, self.start)
        if not looked.found:
            return nothing("lyapunov", looked.why, COLUMNS, LOOK_FOR)
        shown, columns = grid(looked.runs)
        every = {one.run: one for one in looked.found}
        frame = stack([_frame(every[run]) for run in shown], COLUMNS)
        axes = Axis("i/N", limits=(0.0, float(frame["share"].max()))), Axis("λ, nats per step", limits=_limits(frame["exponent"]))
        panels = [Panel(_marks(every[run]), *axes, heading(run), colour(run), _note(every[run], shown)) for run in shown]
        return Description(
            "lyapunov",
            _title(shown, every),
            f"{_subtitle(every)}{looked.why}{left_out(runs, shown, LEFT_OUT)}",
            LOOK_FOR,
            frame,
            once(panels),
            columns=columns,
            key=(
                *((("start", "before training"),) if any(one.start for one in every.values()) else ()),
                *rails([frame["exponent"].to_numpy()], log=False),
            ),
            source="Benettin et al. 1980; Engelken, Wolf and Abbott 2023",
        )

    def _more(self, run: Run, known: Known) -> tuple[Known, ...]:
        """Where there is a loss at every step and the sequence is short: those after it, to be read on."""
        signature, found, length = known.network.signature, list[Known](), len(known.batch.inputs)
        while signature.tokens and signature.at == "every" and length < self.steps:
            further, _ = asked([run], self.example + 1 + len(found))
            if not further or not len(further[0].known.batch.inputs):
                break
            found.append(further[0].known)
            length += len(found[-1].batch.inputs)
        return tuple(found)


@lru_cache(maxsize=4 * MOST)
def _strip(known: Known, more: tuple[Known, ...], steps: int, count: int) -> Strip:
    path = known.path  # refuses what has no single state, and says why
    inputs = np.concatenate([one.batch.inputs[:, 0] for one in (known, *more)])[:steps]
    path = path if len(inputs) == len(path.inputs) and not more else follow(known.network, inputs)
    return Strip(spectrum(in_pieces(path), warm_up=len(inputs) // 10, count=min(count, path.width)), path.width, bool(more))


def _frame(one: Twice[Strip]) -> pd.DataFrame:
    parts = []
    for when, strip in (("start", one.start), ("now", one.now)):
        if strip is not None:
            found = strip.spectrum
            index = np.arange(1, len(found.exponents) + 1)
            row: dict[str, Any] = {"run": one.run.label, "when": when, "steps": found.steps, "states": strip.states, "drift": found.drift}
            parts.append(pd.DataFrame({"index": index, "share": index / strip.states, "exponent": found.exponents}).assign(**row))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _marks(one: Twice[Strip]) -> tuple[Mark, ...]:
    marks: list[Mark] = [Rule(0.0, label="neither grows nor fades")]
    for strip in (one.start, one.now):
        if strip is not None:
            exponents = strip.spectrum.exponents
            share = np.arange(1, len(exponents) + 1) / strip.states
            now = strip is one.now
            said = f"{one.run.label}{'' if now else ', before training'}"
            marks.append(Line(share, exponents, said, **style(one.run)) if now else Line(share, exponents, said, "ghost"))
    return tuple(marks)


def _note(one: Twice[Strip], shown: Sequence[Run]) -> str:
    found = one.now.spectrum
    above = int((found.exponents > 0).sum())
    parts = [f"λ₁ {_signed(found.exponents[0])}" + ("" if found.converged else ", not converged")]
    if above:
        of = "" if len(found.exponents) == one.now.states or above < len(found.exponents) else "at least "
        parts.append(f"{of}{above} above 0, dimension {number(found.dimension)}")
    return (f"{aside(one.run, shown)}: " if len(shown) > 1 else "") + "; ".join(parts)


def _limits(exponents: pd.Series) -> tuple[float, float]:
    """Halves of whole numbers around every finite exponent and zero."""
    return fit([exponents.to_numpy(np.float64), np.zeros(1)], least=0.5)


def _subtitle(every: dict[Run, Twice[Strip]]) -> str:
    strips = [one.now for one in every.values()]
    steps, states = sorted({strip.spectrum.steps for strip in strips}), sorted({strip.states for strip in strips})
    kept = span([len(strip.spectrum.exponents) for strip in strips])
    source = held(list(every))
    read = f"{source} sequences, one after the other," if any(strip.joined for strip in strips) else f"a {source} sequence"
    capped = any(len(strip.spectrum.exponents) < strip.states for strip in strips)
    which = f"the {kept} largest exponents" if capped else "all exponents"
    return (
        f"Lyapunov exponents, mean ln of the stretch per step, linear scale: {which} by their rank i among the N = {span(states)} "
        f"directions of the state. From {span(steps)} steps of {read} after a warm-up; not converged: λ₁ differs by more "
        f"than {SETTLED} between the two halves of them."
    )


def _signed(value: float) -> str:
    text = number(value)
    return f"+{text}" if value > 0 else text


def _fate(found: Spectrum) -> str:
    """What becomes of small differences, as far as λ₁ is known: to about its drift, and not better than a factor e over all steps that
    were read, because the direction that is followed is drawn by chance and takes its time to turn into the first one."""
    largest = float(found.exponents[0])
    if np.isnan(largest):
        return "cannot be told"
    if np.isinf(largest):
        return "fade at once"
    return "hardly change" if abs(largest) <= max(found.drift, 1 / found.steps) else "grow" if largest > 0 else "fade"


def _title(shown: Sequence[Run], every: dict[Run, Twice[Strip]]) -> str:
    """Whether differences grow or fade, family by family, by the largest exponent; a verb is said once for families that follow each
    other."""
    parts, before = [], ""
    for group in chunks(shown, shown):
        found = [every[run].now.spectrum for run in group]
        what = " or ".join(sorted({_fate(one) for one in found}))
        verb, before = "" if what == before else f"{what} ", what
        known = [float(one.exponents[0]) for one in found if np.isfinite(one.exponents[0])]
        settled = all(one.converged for one in found if np.isfinite(one.exponents[0]))
        numbers = f" (λ₁ {span(known, _signed)}{'' if settled else ', not converged'})" if known else ""
        parts.append(f"{verb}in {spoken(group, shown)}{numbers}")
    return sentence(
        f"While a sequence is read small differences {listed(parts)}", f"How small differences grow or fade in {len(shown)} runs"
    )
