"""Rows of a log as rows of gradviz's tables, one training step at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from gradviz.arrays import norm
from gradviz.errors import GradvizError
from gradviz.exchange._columns import Chosen
from gradviz.exchange._text import Table

LATEST = 2**31 - 1
SAME = 1e-6  # relative: a smaller difference is no clipping
NAN = float("nan")
Row = tuple[str, dict[str, Any]]
NORMS = ("norm_before", "norm_after")
UNKNOWN = ("weight", "gradient_after", "update", "ratio", "distance")  # of a parameter of which the gradient's norm is known


@final
@dataclass
class Log:
    """Walks through a log once and counts what it meets. threshold: the one that held all through, None if it is in the log or unknown."""

    table: Table
    chosen: Chosen
    threshold: float | None
    last: int = -1
    seconds: float = 0.0
    clipped: int = 0
    limits: set[float] = field(default_factory=set)  # thresholds that were met, at most two: then it is not one
    partial: int = 0
    written: int = 0

    def rows(self) -> Iterator[Row]:
        for step, line, values in self._steps():
            yield from self._of(step, line, values)
            self.last = step

    @property
    def summed(self) -> bool:
        """Whether the global norm is put together from those of the parameters."""
        return "norm_before" not in self.chosen.roles and bool(self.chosen.parameters)

    def _of(self, step: int, line: int, values: dict[int, float]) -> Iterator[Row]:
        said = {role: values[place] for role, place in self.chosen.roles.items() if place in values}
        norms = {name: values[place] for name, place in self.chosen.parameters.items() if place in values}
        if self.summed and len(norms) == len(self.chosen.parameters):
            said["norm_before"] = float(norm(np.array(list(norms.values()))))
        for name, value in [*said.items(), *norms.items()]:
            if value < 0 and (name in NORMS or name == "threshold" or name in norms):
                raise GradvizError(f"{self.table.name}, {self.table.word} {line}: {name} is {value:g}; a norm is never below 0.")
        if "held_out" in said:
            yield "held_out", {"step": step, "loss": said["held_out"], "accuracy": NAN}
        for name, value in norms.items():
            rest = dict.fromkeys(UNKNOWN, NAN)
            yield "parameters", {"step": step, "parameter": name, "gate": "", "gradient_before": value, **rest}
        wanted = [name for name in ("loss", *NORMS) if name in self.chosen.roles or (name == "norm_before" and self.summed)]
        if wanted and all(name in said for name in wanted):
            yield "steps", self._step(step, said)
            self.written += 1
        elif any(name in said for name in wanted):
            self.partial += 1

    def _step(self, step: int, said: dict[str, float]) -> dict[str, Any]:
        threshold = said.get("threshold", NAN if self.threshold is None else self.threshold)
        before = said.get("norm_before", NAN)
        after = said["norm_after"] if "norm_after" in said else _shortened(before, threshold)
        clipped = bool(after < before * (1 - SAME)) if "norm_after" in said else bool(before > threshold)
        self.clipped, self.seconds = self.clipped + clipped, said.get("seconds", self.seconds)
        self.limits = self.limits | {threshold} if np.isfinite(threshold) and len(self.limits) < 2 else self.limits
        loss, rest = said.get("loss", NAN), {"cosine": NAN, "penalty": NAN, "tokens": 0}
        numbers = {"rate": said.get("rate", NAN), "seconds": said.get("seconds", NAN), "threshold": threshold}
        norms = {"norm_before": before, "norm_after": after, "clipped": clipped}
        return {"step": step, "loss": loss, "loss_sum": NAN, **norms, **numbers, **rest}

    def _steps(self) -> Iterator[tuple[int, int, dict[int, float]]]:
        """Step, its first line, and all numbers that were logged at it by column: programs log one thing a row. One step is in memory."""
        wanted = {place for role, place in self.chosen.roles.items() if role != "step"} | set(self.chosen.parameters.values())
        step, first, values = -1, 0, dict[int, float]()
        for line, cells in self.table.rows:
            found = {place: value for place in wanted if (value := self._number(cells, line, place)) is not None}
            now = whole(self.table, cells[self.chosen.roles["step"]], line, self.table.header[self.chosen.roles["step"]])
            if now < step:
                where = f"{self.table.name}, {self.table.word} {line}"
                raise GradvizError(
                    f"{where}: training step {now} comes after step {step}. Sort the rows by step; import a second training apart."
                )
            if now > step:
                if step >= 0:
                    yield step, first, values
                step, first, values = now, line, {}
            self._add(values, found, line, now)
        if step >= 0:
            yield step, first, values

    def _add(self, values: dict[int, float], found: dict[int, float], line: int, step: int) -> None:
        for place, value in found.items():
            if place in values and not np.array_equal(values[place], value, equal_nan=True):
                raise GradvizError(
                    f"{self.table.name}, {self.table.word} {line}: a second value of {self.table.header[place]!r} at training step {step}, "
                    f"{value:g} after {values[place]:g}. Each step must be there once."
                )
            values[place] = value

    def _number(self, cells: list[Any], line: int, place: int) -> float | None:
        return self.table.number(cells[place], line, self.table.header[place])


def _shortened(before: float, threshold: float) -> float:
    """What clipping by the global norm leaves; NaN without a threshold, and of a norm that is not finite, as threshold / ∞ · ∞ is."""
    return min(before, threshold) if np.isfinite(before) and not np.isnan(threshold) else NAN


def whole(table: Table, cell: Any, line: int, column: str, most: int = LATEST) -> int:
    """A step or a lag: a whole number from 0 on, also one written as 3.0."""
    value = table.number(cell, line, column)
    if value is None or not np.isfinite(value) or value != int(value) or not 0 <= value <= most:
        raise table.wrong(line, column, "" if value is None else str(cell), f"must be a whole number from 0 to {most}")
    return int(value)
