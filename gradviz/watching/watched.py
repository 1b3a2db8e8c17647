"""A model that is watched while PyTorch trains it."""

from typing import Any

import torch
from torch.nn.utils import get_total_norm

from gradviz.arrays import Parameters, global_norm
from gradviz.errors import NonFiniteError
from gradviz.recording.store import RunWriter
from gradviz.watching.calls import plain
from gradviz.watching.capture import Capture
from gradviz.watching.modules import Found, Part
from gradviz.watching.replay import NotReplayed, Replay, replayed
from gradviz.watching.rows import SAME, Gathered, named, parameter_rows
from gradviz.watching.telling import Teller, Words

DIGITS = (1e-15, 1e15)  # norms beyond are taken again, for squares in single precision lose digits


class Watched:
    """What `gradviz.watch` gives: call `step` once a training step.

    replays: of the last recorded step, by module, with every gate and gradient; done: how many steps there were.
    """

    def __init__(self, model: Any, found: Found, writer: RunWriter, every: int) -> None:
        self.model, self.parts, self.every, self.done = model, found.parts, every, 0
        self.replays: dict[str, Replay] = {}
        self._tell = Teller(writer)
        self._names = named(model, found.parts)
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._ids = {id(parameter) for parameter in self._parameters}
        self._start: Parameters = {}
        self._pending: tuple[int, Capture, Gathered] | None = None
        self._blind = False  # something clips that is not listened to
        self._capture: Capture | None = None
        self._begin()

    # ------------------------------------------------------------------ what a training calls

    def step(self, loss: Any, *, words: Words = None) -> None:
        """Once a training step, after `backward`, before or after the optimizer's step. loss: a tensor or a number. words: what the time
        steps of the first sequences of the batch are called in pictures, a list of words for each."""
        value = float(loss.detach()) if isinstance(loss, torch.Tensor) else float(loss)
        self._settle()
        if self._capture is None:
            self._pass_by(value)
        else:
            self._record(self._capture, value, words)
        self.done += 1
        self._begin()

    def clip_grad_norm_(self, max_norm: float, norm_type: float = 2.0) -> Any:
        """`torch.nn.utils.clip_grad_norm_` of the model's parameters. Called without this method it is seen as well."""
        return torch.nn.utils.clip_grad_norm_(self.model.parameters(), max_norm, norm_type)

    def clip_grad_value_(self, clip_value: float) -> None:
        """`torch.nn.utils.clip_grad_value_` of the model's parameters."""
        torch.nn.utils.clip_grad_value_(self.model.parameters(), clip_value)

    def close(self) -> None:
        """Take everything off the model, and write what waits."""
        if self._capture is not None:
            self._capture.remove()
            self._capture = None
        self._settle()
        self._tell.end(self.done)

    def _begin(self) -> None:
        """The next training step begins: hooks, if it is to be recorded, and nothing at all if not."""
        self._clip: tuple[str, float] | None = None
        self._before: float | None = None  # norm before clipping
        self._scale, self._unscaled = 1.0, False
        if self.done % self.every == 0:
            self._capture = Capture(self.model, self.parts)

    # ------------------------------------------------------------------ what PyTorch's functions say

    def clipping(self, rule: str, limit: float, parameters: Any) -> None:
        """See `listening.Listener`."""
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
        sparse = any(gradient.is_sparse for gradient in gradients)
        size = 0.0 if sparse else float(get_total_norm(gradients))
        if not DIGITS[0] < size < DIGITS[1]:
            size = global_norm([plain(gradient.to_dense() if sparse else gradient) for gradient in gradients])
        return size / (1.0 if self._unscaled else self._scale)

    # ------------------------------------------------------------------ one step

    def _pass_by(self, loss: float) -> None:
        """A step that is not recorded: its loss, and its norms, which cost one reading of the gradients."""
        after = self._norm()
        before = after if self._clip is None else self._before
        if self._blind:
            return
        if after is None or before is None:
            self._tell.note("the gradients were gone when `step` was called: call it before zero_grad to have every step's norms")
            return
        clipped = bool(after < before * (1 - SAME))
        alike = 1.0 if not clipped or (self._clip and self._clip[0] == "norm") else float("nan")
        self._told({"loss": loss, "norm_before": before, "norm_after": after, "clipped": clipped, "cosine": alike})

    def _told(self, row: dict[str, Any], tokens: int = 0, rate: float = float("nan")) -> None:
        if self._clip is not None:
            self._tell.clipping(*self._clip)
            row["threshold"] = self._clip[1]
        self._tell.step(self.done, row, tokens, rate)

    def _record(self, capture: Capture, loss: float, words: Words) -> None:
        capture.take_gradients()
        capture.rest()
        self._capture = None
        if not capture.before:
            capture.remove()
            self._tell.note(f"at training step {self.done} no gradient had arrived at any parameter when `step` was called")
            return
        gathered = Gathered.of(capture)
        self._start = self._start or {name: plain(tensor) for name, tensor in capture.weights.items()}
        row = gathered.row()
        if row["clipped"] and self._clip is None:
            self._unheard()
        self.replays = self._replayed(capture)
        tokens = sum(int(replay.sequences.ends.sum()) for replay in list(self.replays.values())[:1])
        self._told({"loss": loss, **row}, tokens, capture.rate)
        self._pending = (self.done, capture, gathered)
        if capture.whole:
            self._settle()
        start = {part.name: self._of_part(capture, part, self._start) for part in self.parts}
        self._tell.replays(self.done, list(self.replays.values()), start, words)
        self._tell.save(self.done + 1)

    def _unheard(self) -> None:
        """Gradients change between backward and update by something that is not listened to."""
        self._tell.clipping("unknown")
        self._blind = True
        self._tell.note(
            "something other than PyTorch's clip_grad_norm_ and clip_grad_value_ changes the gradients before the update: their norms are "
            "kept at recorded steps only"
        )

    def _settle(self) -> None:
        """Tell the parameters of the last recorded step, now that they have been updated."""
        if self._pending is not None:
            step, capture, gathered = self._pending
            self._pending = None
            capture.take_weights()
            self._tell.rows(step, list(parameter_rows(capture, gathered, self._names, self._start)))

    def _replayed(self, capture: Capture) -> dict[str, Replay]:
        found: dict[str, Replay] = {}
        for part in self.parts:
            calls = [call.unscaled(capture.scale) for call in capture.calls[part.name] if call.seen]
            if not calls:
                self._tell.note(
                    f"module {part.name} took no part at training step {self.done}: in training mode no gradient came back to it"
                )
                continue
            weights = self._of_part(capture, part, {name: plain(tensor) for name, tensor in capture.weights.items()})
            arrived = {name: capture.own.get(id(getattr(part.module, name))) for name in weights}
            gradients = {name: plain(item.value / capture.scale) for name, item in arrived.items() if item and item.value is not None}
            gradients = {} if part.name in capture.elsewhere else gradients
            try:
                found[part.name] = replayed(part, calls, weights, gradients)
            except (NonFiniteError, NotReplayed) as error:
                self._tell.note(f"module {part.name} is not replayed at training step {self.done}: {str(error).rstrip('.')}")
        return found

    def _of_part(self, capture: Capture, part: Part, weights: Parameters) -> Parameters:
        """A module's weights by PyTorch's names within it, out of those of the model."""
        known = {id(parameter): name for name, parameter in capture.parameters.items()}
        found: Parameters = {}
        for place in part.places:
            for name in part.weights(*place).values():
                parameter = getattr(part.module, name)
                found[name] = weights[known[id(parameter)]] if id(parameter) in known else plain(parameter)
        return found
