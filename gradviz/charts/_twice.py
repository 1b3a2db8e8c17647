"""Runs whose network is examined twice: with the weights it began with, where they can be drawn again, and with those it has now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from gradviz.charts._reopened import MOST, Known, asked
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.recording.reopen import START, reopen

T = TypeVar("T")


@dataclass(frozen=True)
class Twice(Generic[T]):
    """start: None where the weights of the beginning cannot be had, or were not asked for."""

    run: Run
    now: T
    start: T | None


@dataclass(frozen=True)
class Looked(Generic[T]):
    """why: with nothing found, the reason; else of the first run that was refused, as a sentence with a blank before it, or nothing."""

    found: tuple[Twice[T], ...]
    why: str

    @property
    def runs(self) -> list[Run]:
        return [one.run for one in self.found]


def twice(runs: Sequence[Run], look: Callable[[Run, Known], T], example: int = 0, start: bool = True) -> Looked[T]:
    """`look` at every run that can be taken up again and that it does not refuse with a GradvizError. It should remember what it has
    found of a `Known`, which is the same as long as the run is."""
    known, why = asked(runs, example)
    found, refused = [], []
    for one in known:
        try:
            now = look(one.run, one.known)
            began = _began(one.known, Path(one.run.path)) if start else None
            found.append(Twice(one.run, now, None if began is None else look(one.run, began)))
        except GradvizError as error:
            refused.append(f"{one.run.label}: {error}")
    if found:
        return Looked(tuple(found), f" {_ended(refused[0])}" if refused else "")
    return Looked((), why or refused[0] if refused else why)


@lru_cache(maxsize=MOST)
def _began(known: Known, path: Path) -> Known | None:
    try:
        network = reopen(path, START, data=False).network
    except GradvizError:
        return None
    return Known(network.astype("float64"), known.batch, known.words)


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
