"""What is told of recorded steps: rows into the tables, facts and notes into run.json, and a warning where something is wrong."""

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradviz.arrays import Parameters
from gradviz.errors import NonFiniteError
from gradviz.recording.store import RunWriter
from gradviz.watching import about
from gradviz.watching.recorded import PROBED, Told, kept_of, origin, probe, reaches, time_steps
from gradviz.watching.replay import Replay

SPARSE = 5  # whole arrays are kept at every so-many-th recorded step, and at the last
Words = Sequence[Sequence[str]] | None


class Teller:
    """Writes one run. start: weights of all parameters at the first recorded step, by PyTorch's names."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self._notes: list[str] = list(writer.meta["notes"])
        self._began = time.perf_counter()
        self._located, self._recorded, self._probed, self._last = False, 0, True, 0
        self._replays: list[Replay] = []
        self._lengths, self._words = list[int](), list[list[str] | None]()
        self._named: dict[str, list[list[str] | None]] = {}  # words of the kept sequences, by training step
        self._started: dict[str, Parameters] = {}
        for text in self._notes:
            _warn(text)

    # ------------------------------------------------------------------ rows

    def rows(self, step: int, told: Sequence[Told]) -> None:
        for table, row in told:
            self._writer.append(table, {"step": step, **row})

    def step(self, step: int, row: dict[str, Any], tokens: int = 0, rate: float = float("nan")) -> None:
        """A row of `steps`; `threshold` may be in it."""
        rest = {"loss_sum": row["loss"], "rate": rate, "threshold": float("nan"), "tokens": tokens, "penalty": float("nan")}
        self._writer.append("steps", {"step": step, **rest, **row, "seconds": time.perf_counter() - self._began})

    def clipping(self, rule: str, limit: float = float("nan")) -> None:
        """What rule clips, once it is known."""
        training = self._writer.meta["experiment"]["training"]
        if training["clipping"]["name"] != rule:
            training["clipping"] = {"name": rule} if np.isnan(limit) else {"name": rule, "limit": limit}

    def replays(self, step: int, replays: list[Replay], start: dict[str, Parameters], words: Words) -> None:
        """Everything of the recurrent modules at one recorded step. start: the weights each began with, by module."""
        self._replays, self._started, self._last = replays, start, step
        for replay in replays:
            self._check(step, replay)
        self.rows(step, time_steps(replays))
        for replay in replays:
            told, note = reaches(replay)
            self.rows(step, told)
            if note:
                self.note(note)
        trouble = None if self._located else origin(replays)
        if trouble is not None:
            self._located = True
            self.rows(step, [trouble])
        self._name(replays, words)
        self._probed = self._recorded % SPARSE == 0
        if self._probed:
            self._probe()
        self._recorded += 1

    def _name(self, replays: list[Replay], words: Words) -> None:
        """What the probed sequences are, and which points there are."""
        if replays:
            lengths = [int(length) for length in replays[0].sequences.ends[:PROBED]]
            spelled = [_spelled(words[k], length) if words and k < len(words) else None for k, length in enumerate(lengths)]
            self._lengths, self._words = lengths, spelled
            self._writer.meta["points"] = about.points(replays)
            size = replays[0].sequences.inputs.shape[1]
            self._writer.meta["experiment"]["training"] |= {"batch": size, "precision": str(replays[0].network.dtype)}

    def _probe(self) -> None:
        """Whole arrays, and what exact charts compute from: the first module that can be followed through time."""
        for replay in self._replays:
            self.rows(self._last, list(probe(replay)))
        if self._replays:
            self._named[str(self._last)] = self._words
            self._writer.meta["probe"] = {"lengths": self._lengths, "words": self._words, "steps": self._named}
        followed = next((replay for replay in self._replays if replay.sequences.linked), None)
        if followed is None:
            return
        try:
            kept = kept_of(followed, self._started[followed.part.name])
        except NonFiniteError:  # there is nothing to compute from numbers that are none
            return
        self._writer.save_weights(kept.network.parameters)
        self._writer.save_sequences(kept.arrays)
        self._writer.meta["watched"]["network"] = kept.facts

    # ------------------------------------------------------------------ facts and notes

    def _check(self, step: int, replay: Replay) -> None:
        """Whether the replay is what PyTorch computed; loudly, if it is not."""
        part, found = replay.part.name, replay.mismatch
        nothing: dict[str, Any] = {"outputs": None, "gradients": None, "limit": found.limit, "compared": 0, "differs_at": []}
        said = self._writer.meta["watched"]["replay"].setdefault(part, nothing)
        said["compared"] += int(not np.isnan(found.outputs))
        for name, value in {"outputs": found.outputs, "gradients": found.gradients}.items():
            if not np.isnan(value):
                said[name] = max(said[name] or 0.0, value if np.isfinite(value) else 1e300)  # JSON has no infinity
        if found.bad:
            said["differs_at"].append(step)
            self.note(
                f"the replay of {part} at training step {step} differs from PyTorch: its outputs by {found.outputs:.1e} of their norm, "
                f"its gradients of the parameters by {found.gradients:.1e} (limit {found.limit:.0e})",
                once=f"the replay of {part} at",
            )

    def note(self, text: str, once: str = "") -> None:
        """A sentence in run.json, and a warning; one of those that begin with `once` is enough."""
        if not any(note.startswith(once or text) for note in self._notes):
            self._notes.append(text)
            _warn(text)

    def save(self, done: int) -> None:
        """Everything so far is on disk, and run.json says how far that is."""
        self._writer.meta["experiment"]["training"]["updates"] = done
        self._writer.flush()
        self._writer.update(updates_done=done, seconds=time.perf_counter() - self._began, notes=self._notes)

    def end(self, done: int) -> None:
        """The arrays of the last recorded step, if they were left out."""
        if not self._probed:
            self._probe()
        self.save(done)


def _spelled(words: Sequence[str], length: int) -> list[str]:
    """One word a step, whatever was given."""
    given = [str(word) for word in words][:length]
    return given + [""] * (length - len(given))


def _warn(text: str) -> None:
    warnings.warn(f"gradviz.watch: {text}.", stacklevel=2)
