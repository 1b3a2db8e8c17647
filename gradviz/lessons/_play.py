"""A picture to play with: a few settings, and what they make of it."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import Field, field
from typing import Any, ClassVar

import numpy as np

from gradviz.charts import Description
from gradviz.errors import GradvizError, unknown
from gradviz.options import check

POSITIONS = 41  # of the control that stays alive in a file, at most


class Play(ABC):
    """Base of all plays: a frozen dataclass whose fields are made with `control`.

    name: what it lets one do, the heading of its controls; alive: the field whose values a file without a program holds beforehand.
    """

    name: ClassVar[str]
    alive: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check(self)

    @abstractmethod
    def draw(self) -> Description:
        """The picture of these settings, computed. Its title says what came out; takes 0.05 s at most, or is remembered."""


def control(
    default: Any, label: str, span: tuple[float, float, float] | None = None, *, choices: tuple[str, ...] = (), help: str = ""
) -> Any:
    """One setting of a play. A number has a span: low, high and step; a text has choices, or is typed; a truth needs neither.

    step 0: a number whose control moves by equal factors, for values over many sizes.
    """
    low, high, step = span or (None, None, None)
    return field(default=default, metadata={"label": label, "low": low, "high": high, "step": step, "choices": choices, "help": help})


def controls(play: type[Play]) -> dict[str, Field[Any]]:
    """The settings of a play by name."""
    return {item.name: item for item in dataclasses.fields(play)}  # type: ignore[arg-type]


def made(play: type[Play], settings: dict[str, Any]) -> Play:
    """A play with these settings, the others as they stand by default. A name that it has not is an error."""
    known = controls(play)
    for name in settings:
        if name not in known:
            raise unknown(f"setting of {play.__name__}", name, known)
    return play(**settings)


def values(item: Field[Any]) -> list[Any]:
    """Every value that a control can be set to; of a number the steps from low to high, or 61 equal factors with step 0."""
    meta = item.metadata
    default: Any = item.default
    if meta["choices"]:
        return list(meta["choices"])
    if isinstance(default, bool):
        return [False, True]
    low, high, step = meta["low"], meta["high"], meta["step"]
    if low is None or high is None or step is None:
        raise GradvizError(f"the control {item.name} needs a span: its values cannot be listed.")
    if step == 0:
        kind = type(default)
        return sorted({kind(float(f"{value:.3g}")) for value in np.geomspace(low, high, 61)} | {default})
    count = round((high - low) / step)
    found = [low + step * at for at in range(count + 1)]
    return [round(value) for value in found] if isinstance(default, int) else [float(f"{value:.10g}") for value in found]


def positions(play: type[Play], wanted: Sequence[Any] = ()) -> list[Any]:
    """The values of the living control that a file holds: at most POSITIONS, spread evenly, the default and `wanted` among them."""
    item = controls(play)[play.alive]
    every = values(item)
    at = np.linspace(0, len(every) - 1, min(POSITIONS, len(every))).round().astype(int)
    kept = {every[index] for index in at} | {item.default, *wanted}
    return sorted(kept) if not item.metadata["choices"] else every
