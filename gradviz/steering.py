"""A training that listens: between two updates it does what another process asks, and the run keeps a trace of it."""

import time
from collections.abc import Callable
from typing import Any

from gradviz.errors import GradvizError, RunError
from gradviz.interrupts import Stopped, postponed
from gradviz.recording.control import Mailbox
from gradviz.recording.store import RunWriter
from gradviz.trainer import Trainer

LOOK = 0.1  # seconds between two looks while paused


class Helm:
    """`obey` between two updates. keep: writes a checkpoint.

    What is written into run.json: `changes`, each with the update from which on it holds, so that what was computed before keeps its
    settings; `paused`, while it is; `refused`, the last request that could not be met, and why. A training that is resumed from a
    checkpoint before a change makes that change again, at the same update: `planned`.
    """

    def __init__(self, trainer: Trainer, writer: RunWriter, keep: Callable[[], None]) -> None:
        self.trainer, self.writer, self.keep = trainer, writer, keep
        self.paused, self.stop = False, False
        self.planned: list[dict[str, Any]] = list(writer.meta.get("changes") or [])[len(trainer.changes) :]
        self._mailbox = Mailbox(writer.folder)

    def obey(self) -> None:
        """Look once. Returns when training shall go on; raises Stopped if it shall not."""
        while self.planned and self._due(self.planned[0]):
            self.trainer.turn(self.planned.pop(0)["after"])
        self._look()
        if self.paused and not self.stop:
            self._wait()
        if self.stop:
            raise Stopped

    def _due(self, change: dict[str, Any]) -> bool:
        try:
            return int(change["update"]) <= self.trainer.done and "after" in change
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.writer.folder} has a change in its run.json that cannot be made again: {change!r}.") from error

    def _look(self) -> None:
        with postponed():
            try:
                wish = self._mailbox.take()
                if wish is None:
                    return
                if wish.threshold is not None:
                    self._turn(wish.threshold)
            except GradvizError as error:
                self.writer.update(refused={"update": self.trainer.done, "why": str(error)})
                return
            self.stop = wish.stop
            self.paused = self.paused if wish.pause is None else wish.pause

    def _turn(self, value: float) -> None:
        if self.trainer.turn(value):
            self.planned.clear()  # what was to come belongs to another course
            self.writer.update(changes=self.trainer.changes)

    def _wait(self) -> None:
        """Until it is told to go on. All is on disk meanwhile."""
        began = time.perf_counter()
        try:
            with postponed():  # an interruption comes when it is left
                self.keep()
                self.writer.update(paused=True)
            while self.paused and not self.stop:
                time.sleep(LOOK)
                self._look()
        finally:
            self.trainer.began += time.perf_counter() - began  # no time of training
            self.writer.meta.pop("paused", None)
            self.writer.update()
