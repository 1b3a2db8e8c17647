"""Eigenvalues of the recurrent weights, or of a step's Jacobian, against the unit circle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._common import MARKERS, aside, colour, grid, heading, left_out, nothing, stack
from gradviz.charts._description import Axis, Description, Mark, Panel, Path, Points
from gradviz.charts._reopened import LEFT_OUT, MOST, Known
from gradviz.charts._twice import Twice, twice
from gradviz.charts._words import chunks, in_part, sentence, spoken
from gradviz.dynamics.jacobians import step_jacobians
from gradviz.errors import GradvizError, NonFiniteError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, span

COLUMNS = ("run", "when", "block", "real", "imaginary", "size", "radius", "stretch")
LOOK_FOR = (
    "Healthy is a cloud that reaches the circle without leaving it: some directions are carried on for long, none is blown up. "
    "Far inside everything is forgotten within a few steps; outside, what is not held back by saturation explodes."
)
OF = {"weights": "the recurrent weights", "jacobian": "the Jacobian ∂s_t/∂s_{t−1} of the last step"}


@dataclass(frozen=True)
class Cloud:
    """Of one square matrix. block: what it is of; values: its eigenvalues; stretch: its largest singular value."""

    block: str
    values: Array
    stretch: float

    @property
    def radius(self) -> float:
        return float(np.abs(self.values).max())


Clouds = tuple[Cloud, ...]


@dataclass(frozen=True)
class Eigenvalues(Chart):
    """of: "weights", those of one layer, in a gated cell block by block, of which several runs show the candidate's; "jacobian": of a
    whole step, all layers and states jointly, at the end of the sequence number `example`."""

    needs = ()
    exact: ClassVar[bool] = True
    purpose = "whether the recurrent weights stretch or shrink what they carry, eigenvalue by eigenvalue"

    of: str = option("weights", "matrix whose eigenvalues are drawn", choices=("weights", "jacobian"))
    layer: int = option(-1, "layer of the weights, counted from 0; -1 is the last", low=-1)
    example: int = option(0, "held-out sequence at whose last step the Jacobian is taken, counted from 0", low=0)
    start: bool = option(True, "also draw the network before training, in grey")

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        looked = twice(runs, lambda run, known: _clouds(known, self.of, self.layer), self.example, self.start)
        if not looked.found:
            return nothing("eigenvalues", looked.why, COLUMNS, LOOK_FOR)
        every = {one.run: one if len(looked.found) == 1 else _chosen(one) for one in looked.found}
        shown, columns = grid(looked.runs)
        frame = stack([_frame(every[run]) for run in shown], COLUMNS)
        axes = Axis("real part", limits=_limits(frame["real"])), Axis("imaginary part", limits=_limits(frame["imaginary"]))
        panels = tuple(Panel(*part[:1], *axes, *part[1:]) for run in shown for part in _panels(every[run], shown))
        grey = any(one.start for one in every.values())
        return Description(
            "eigenvalues",
            _title(shown, every, self.of),
            f"{_subtitle(shown, every, self.of, in_part(shown, self.layer))}{looked.why}{left_out(runs, shown, LEFT_OUT)}",
            LOOK_FOR,
            frame,
            panels,
            columns=columns if len(shown) > 1 else min(3 if len(panels) != 4 else 2, len(panels)),
            shape="plane",
            key=(("faint", "before training"),) if grey else (),
            source="Pascanu, Mikolov and Bengio 2013, section 2.1",
        )


@lru_cache(maxsize=4 * MOST)
def _clouds(known: Known, of: str, layer: int) -> Clouds:
    if of == "jacobian":
        path = known.path
        last = replace(path, inputs=path.inputs[-1:], before=path.before[-1:])
        return (_cloud("", step_jacobians(last)[0]),)
    network = known.network
    layers = sorted({at for at, _ in network.parts.places})
    if layer >= len(layers):
        raise GradvizError(f"there is no layer {layer}; the network has {len(layers)}, counted from 0.")
    found = []
    ways = [way for at, way in network.parts.places if at == layers[layer]]
    for way in ways:
        weights = network.parameters[f"layers.{layers[layer]}.{way}.weight_hh"]
        for block, matrix in zip(network.model.cell.blocks, weights, strict=True):
            gate = block in network.model.cell.blocks[: network.model.cell.gates]
            name = f"{block} gate" if gate else block
            found.append(_cloud(f"{name}, {way}" if len(ways) > 1 else name, matrix))
    return tuple(found)


def _cloud(block: str, matrix: Array) -> Cloud:
    if not np.isfinite(matrix).all():
        raise NonFiniteError(f"its {block + ' ' if block else ''}matrix holds NaN or infinity, which has no eigenvalues.")
    return Cloud(block, np.linalg.eigvals(matrix).astype(complex), float(np.linalg.norm(matrix, 2)))


def _chosen(one: Twice[Clouds]) -> Twice[Clouds]:
    """What writes new content: the candidate of a gated cell, the only block of a plain one."""
    at = next((at for at, cloud in enumerate(one.now) if cloud.block.startswith("candidate")), len(one.now) - 1)
    return Twice(one.run, one.now[at : at + 1], one.start and one.start[at : at + 1])


def _limits(values: pd.Series) -> tuple[float, float]:
    """Around the circle and everything else."""
    return 1.08 * min(-1.05, float(values.min())), 1.08 * max(1.05, float(values.max()))


def _moments(one: Twice[Clouds]) -> list[tuple[str, Clouds]]:
    return [("start", one.start), ("now", one.now)] if one.start else [("now", one.now)]


def _frame(one: Twice[Clouds]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"real": cloud.values.real, "imaginary": cloud.values.imag, "size": np.abs(cloud.values)}).assign(
            run=one.run.label, when=when, block=cloud.block, radius=cloud.radius, stretch=cloud.stretch
        )
        for when, clouds in _moments(one)
        for cloud in clouds
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _panels(one: Twice[Clouds], shown: Sequence[Run]) -> list[tuple[tuple[Mark, ...], str, str, str]]:
    """Marks, heading, colour and note of each block."""
    run, found = one.run, []
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = Path(np.cos(turn), np.sin(turn), "unit circle", thin=True)
    for at, cloud in enumerate(one.now):
        marks: list[Mark] = [circle]
        for when, clouds in _moments(one):
            values, name = clouds[at].values, "ghost" if when == "start" else colour(run)
            hover = tuple(f"|λ| = {number(abs(value), 3)}, angle {number(abs(float(np.angle(value))), 3)}" for value in values)
            filled = when == "now" and run.clipped
            marks.append(
                Points(values.real, values.imag, f"{run.label}, {when}", name, MARKERS.get(run.family, "circle"), filled, True, hover)
            )
        several = len(one.now) > 1
        said = f"ρ {number(cloud.radius)}, σ₁ {number(cloud.stretch)}"
        note = said if several else f"{aside(run, shown)}: {said}" if len(shown) > 1 else said
        found.append((tuple(marks), cloud.block.capitalize() if several else heading(run), colour(run), note))
    return found


def _subtitle(shown: Sequence[Run], every: dict[Run, Twice[Clouds]], of: str, part: str) -> str:
    blocks = {cloud.block for run in shown for cloud in every[run].now}
    gated = of == "weights" and blocks != {"state"}
    each = f" Of gated cells: {'each block' if len(blocks) > 2 else 'the candidate, which writes new content'}." if gated else ""
    caution = (
        "" if of == "jacobian" else " In a nonlinear cell it is the Jacobian that acts, these weights times local derivatives and gates."
    )
    return (
        f"Eigenvalues λ of {OF[of]}{part}, linear scale; the circle is |λ| = 1. ρ: the largest |λ|; σ₁: the largest singular value, "
        f"by which one step can stretch at most.{each}{caution}"
    )


def _title(shown: Sequence[Run], every: dict[Run, Twice[Clouds]], of: str) -> str:
    """ρ before and after, family by family; what it did to the circle where there is one."""
    first = {run: _chosen(every[run]) for run in shown}
    parts = []
    for group in chunks(shown, shown):
        now = [first[run].now[0].radius for run in group]
        start = [one[0].radius for run in group if (one := first[run].start)]
        if len(shown) == 1:
            block = first[shown[0]].now[0].block if of == "weights" else "Jacobian"
            return sentence(_single(spoken(group, shown), "" if block == "state" else block, now[0], start))
        gone = f"from {span(start)} to " if len(start) == len(group) else ""
        parts.append(f"{gone}{span(now)} in {spoken(group, shown)}")
    what = "spectral radius of the recurrent weights" if of == "weights" else "largest eigenvalue of the last step’s Jacobian"
    verb = "goes" if "from" in parts[0] else "is"
    return sentence(f"The {what} {verb} {listed(parts)}", f"The {what} in {len(shown)} runs")


def _single(name: str, block: str, now: float, start: Sequence[float]) -> str:
    whose = f"{name}’s {block}" if block else name
    after = number(now)
    if not start:
        return f"ρ of {whose} is {after}: {'outside' if now > 1 else 'inside'} the unit circle".replace("ρ", "The spectral radius ρ", 1)
    before = number(start[0])
    if before == after:
        return f"Training left ρ of {whose} at {after}"
    if start[0] > 1 > now:
        return f"Training drew ρ of {whose} from {before} inside the unit circle, to {after}"
    if start[0] < 1 < now:
        return f"Training pushed ρ of {whose} from {before} out of the unit circle, to {after}"
    side = "outside" if now > 1 else "inside" if now < 1 else "on"
    return f"Training moved ρ of {whose} from {before} to {after}, {side} the unit circle as before"
