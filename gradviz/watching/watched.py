"""A model that is watched while PyTorch trains it, and the run that this becomes."""

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.utils import get_total_norm

from gradviz.arrays import Parameters, global_norm
from gradviz.errors import NonFiniteError
from gradviz.recording.store import RunWriter
from gradviz.watching import about
from gradviz.watching.calls import plain
from gradviz.watching.capture import Capture
from gradviz.watching.modules import Found
from gradviz.watching.recorded import PROBED, ends, origin, probe, reaches, time_steps
from gradviz.watching.replay import Replay, replayed
from gradviz.watching.rows import Gathered, named, parameter_rows

SPARSE = 5  # whole arrays are kept at every so-many-th recorded step, and at the last
DIGITS = (1e-15, 1e15)  # norms beyond are taken again, for squares in single precision lose digits


class Watched:
    """What `gradviz.watch` gives: call `step` once a training step. replays: of the last recorded step, by module."""

    def __init__(self, model: Any, found: Found, writer: RunWriter, every: int) -> None:
        self.model, self.parts, self.every = model, found.parts, every
        self.replays: dict[str, Replay] = {}
        self.done = 0
        self._writer, self._notes = writer, list(found.notes)
        self._names = named(model, found.parts)
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._ids = {id(parameter) for parameter in self._parameters}
        self._began = time.perf_counter()
        self._capture: Capture | None = None
        self._pending: tuple[int, Capture, Gathered] | None = None
        self._start: Parameters = {}
        self._clip: tuple[str, float] | None = None
        self._before: Any = None  # norm before clipping at a step that is not recorded
        self._scale, self._unscaled = 1.0, False
        self._blind = False  # something clips that is not listened to
        self._located, self._recorded, self._probed = False, 0, True
        self._begin()

    # ------------------------------------------------------------------ what a training calls

    def step(self, loss: Any, *, words: Sequence[Sequence[str]] | None = None) -> None:
        """Once a training step, after `backward`, before or after the optimizer's step. loss: a tensor or a number. words: what the time
        steps of the first sequences of the batch are called in pictures, a list of words for each."""
        value = float(loss.detach()) if isinstance(loss, torch.Tensor) else float(loss)
        self._settle()
        if self._capture is not None:
            self._record(self._capture, value, words)
        else:
            self._pass_by(value)
        self.done += 1
        self._clip, self._before, self._scale, self._unscaled = None, None, 1.0, False
        self._begin()

    def clip_grad_norm_(self, max_norm: float, norm_type: float = 2.0) -> Any:
        """`torch.nn.utils.clip_grad_norm_` of the model's parameters; called like any other it is seen as well."""
        return torch.nn.utils.clip_grad_norm_(self.model.parameters(), max_norm, norm_type)

    def clip_grad_value_(self, clip_value: float) -> None:
        """`torch.nn.utils.clip_grad_value_` of the model's parameters."""
        torch.nn.utils.clip_grad_value_(self.model.parameters(), clip_value)

    # ------------------------------------------------------------------ what PyTorch's functions say

    def clipping(self, rule: str, limit: float, parameters: Any) -> None:
        if not any(id(parameter) in self._ids for parameter in parameters):
            return
        if self._clip is None and self._capture is None:
            self._before = self._norm()
        self._clip = rule, limit

    def scaled(self, scale: float) -> None:
        self._scale = scale
        if self._capture is not None:
            self._capture.scale = scale

    def unscaled(self) -> None:
        self._unscaled = True
        if self._capture is not None:
            self._capture.unscaled = True

    def _norm(self) -> float | None:
        """Global norm of the gradients there are, without a scale; None if there are none."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        if not gradients:
            return None
        factor = 1.0 if self._unscaled else self._scale
        size = float(get_total_norm(gradients)) if not any(gradient.is_sparse for gradient in gradients) else 0.0
        if not DIGITS[0] < size < DIGITS[1]:
            size = global_norm([plain(gradient.to_dense() if gradient.is_sparse else gradient) for gradient in gradients])
        return size / factor

    # ------------------------------------------------------------------ one step

    def _begin(self) -> None:
        if self.done % self.every == 0:
            self._capture = Capture(self.model, self.parts)

    def _pass_by(self, loss: float) -> None:
        """A step that is not recorded: its loss, and the norms, which cost one reading of the gradients."""
        after = self._norm()
        before = after if self._clip is None else self._before
        if after is None or before is None or self._blind:
            return
        clipped = bool(after < before * (1 - 1e-6))
        cosine = 1.0 if not clipped or (self._clip and self._clip[0] == "norm") else float("nan")
        self._tell_step({"loss": loss, "norm_before": before, "norm_after": after, "clipped": clipped, "cosine": cosine})

    def _tell_step(self, row: dict[str, Any], tokens: int = 0, rate: float = float("nan")) -> None:
        rule, limit = self._clip or ("none", float("nan"))
        if self._clip is not None:
            self._tell_clipping(rule, limit)
        row = {"step": self.done, "loss_sum": row["loss"], "rate": rate, "threshold": limit, "tokens": tokens, **row}
        self._writer.append("steps", {**row, "seconds": time.perf_counter() - self._began, "penalty": float("nan")})

    def _tell_clipping(self, rule: str, limit: float) -> None:
        training = self._writer.meta["experiment"]["training"]
        if training["clipping"]["name"] != rule:
            training["clipping"] = {"name": rule} if np.isnan(limit) else {"name": rule, "limit": limit}

    def _record(self, capture: Capture, loss: float, words: Sequence[Sequence[str]] | None) -> None:
        capture.take_gradients()
        capture.rest()
        self._capture = None
        if not capture.before:
            capture.remove()
            self._note(f"at training step {self.done} no gradient arrived at any parameter before `step` was called")
            return
        gathered = Gathered.of(capture)
        self._start = self._start or {name: plain(tensor) for name, tensor in capture.weights.items()}
        row = gathered.row()
        if row["clipped"] and self._clip is None:
            self._unheard()
        self._replay(capture)
        tokens = sum(int(ends(replay.sequences).sum()) for replay in list(self.replays.values())[:1])
        self._tell_step({"loss": loss, **row}, tokens, capture.rate)
        self._pending = (self.done, capture, gathered)
        if capture.whole:
            self._settle()
        self._tell(words)
        self._recorded += 1
        self._save(self.done + 1)

    def _unheard(self) -> None:
        """Gradients change between backward and update by something that is not listened to."""
        self._tell_clipping("unknown", float("nan"))
        if not self._blind:
            self._blind = True
            self._note("something other than PyTorch's clip_grad_norm_ and clip_grad_value_ changes the gradients before the update: norms are "
                       "those of recorded steps only")  # fmt: skip

    def _settle(self) -> None:
        """Tell the parameters of the last recorded step, now that they have been updated."""
        if self._pending is None:
            return
        step, capture, gathered = self._pending
        capture.take_weights()
        for table, row in parameter_rows(capture, gathered, self._names, self._start):
            self._writer.append(table, {"step": step, **row})
        self._pending = None

    def _replay(self, capture: Capture) -> None:
        self.replays = {}
        for part in self.parts:
            calls = [call for call in capture.calls[part.name] if call.seen]
            if not calls:
                self._note(f"{part.name} took no part at training step {self.done}: no gradient came back to it in training mode")
                continue
            weights, gradients = self._of_part(capture, part)
            for call in calls:
                for arrived in call.gradients:
                    if arrived.value is not None:
                        arrived.value = arrived.value / capture.scale
            try:
                self.replays[part.name] = replayed(part, calls, weights, gradients)
            except NonFiniteError as error:
                self._note(f"{part.name} could not be replayed at training step {self.done}: {error}")

    def _of_part(self, capture: Capture, part: Any) -> tuple[Parameters, Parameters]:
        """Weights and this step's gradients by PyTorch's names within the module."""
        weights, gradients = {}, {}
        by_id = {id(parameter): name for name, parameter in capture.parameters.items()}
        for layer, direction in part.places:
            for name in part.weights(layer, direction).values():
                parameter = getattr(part.module, name)
                known = by_id.get(id(parameter))
                weights[name] = plain(parameter if known is None else capture.weights[known])
                arrived = capture.own.get(id(parameter))
                if arrived is not None and arrived.value is not None:
                    gradients[name] = plain(arrived.value / capture.scale)
        return weights, gradients

    # ------------------------------------------------------------------ telling

    def _tell(self, words: Sequence[Sequence[str]] | None) -> None:
        replays = list(self.replays.values())
        for replay in replays:
            self._check(replay)
        rows = time_steps(replays)
        for replay in replays:
            told, note = reaches(replay)
            rows += told
            if note:
                self._note(note)
        if not self._located and (trouble := origin(replays)) is not None:
            self._located = True
            rows.append(trouble)
        self._probed = self._recorded % SPARSE == 0
        for table, row in rows:
            self._writer.append(table, {"step": self.done, **row})
        self._last = self.done
        if replays:
            lengths = [int(length) for length in ends(replays[0].sequences)[:PROBED]]
            named_steps = [list(map(str, words[k]))[:length] if words and k < len(words) else None for k, length in enumerate(lengths)]
            self._writer.meta["probe"] = {"lengths": lengths, "words": named_steps}
            self._writer.meta["points"] = about.points(replays)
        if self._probed:
            self._tell_probe()

    def _tell_probe(self) -> None:
        for replay in self.replays.values():
            for table, row in probe(replay):
                self._writer.append(table, {"step": self._last, **row})

    def _check(self, replay: Replay) -> None:
        """Compare with PyTorch, and say so loudly if it differs."""
        part, found = replay.part.name, replay.mismatch
        said = self._writer.meta["watched"]["replay"].setdefault(part, {"outputs": 0.0, "gradients": 0.0, "limit": found.limit, "steps": []})
        for name in ("outputs", "gradients"):
            said[name] = float(np.nanmax([said[name], getattr(found, name)]))
        if found.bad:
            said["steps"].append(self.done)
            text = (
                f"{part}: the replay at training step {self.done} differs from PyTorch: its outputs by {found.outputs:.1e} of their norm, its "
                f"gradients of the parameters by {found.gradients:.1e} (limit {found.limit:.0e})"
            )
            self._note(text, once=f"{part}: the replay at")

    def _note(self, text: str, once: str = "") -> None:
        """Write a sentence into run.json, and warn of it, once a run."""
        if any(note.startswith(once or text) for note in self._notes):
            return
        self._notes.append(text)
        warnings.warn(f"gradviz.watch: {text}.", stacklevel=4)

    def _save(self, done: int) -> None:
        self._writer.meta["experiment"]["training"]["updates"] = done
        self._writer.flush()
        self._writer.update(updates_done=done, seconds=time.perf_counter() - self._began, notes=self._notes)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Take everything off the model and write what waits."""
        if self._capture is not None:
            self._capture.remove()
            self._capture = None
        self._settle()
        if not self._probed:
            self._tell_probe()
        self._save(self.done)
