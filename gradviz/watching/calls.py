"""One call of a recurrent module: what went in, what came out, and the gradients that arrived at what came out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from gradviz.arrays import Array, Integers
from gradviz.watching.modules import Part


def plain(tensor: Any) -> Array:
    """A copy as an array of float32 or float64, from whatever device."""
    kept = tensor.detach()
    wide = kept.to(torch.float32) if kept.dtype in (torch.float16, torch.bfloat16) else kept
    array: Array = wide.to("cpu", copy=True).numpy()
    return array


@dataclass
class Arrived:
    """The gradient at one tensor, summed over all backward passes; None until one arrives."""

    value: Any = None

    def __call__(self, gradient: Any) -> None:
        found = gradient.detach()
        self.value = found.clone() if self.value is None else self.value + found

    def wait_at(self, tensor: Any) -> None:
        """For what goes on into the module, when the tensor's own hooks, some of which clip, are done with it."""
        place = tensor.output_nr

        def hook(gradients: tuple[Any, ...]) -> None:
            if gradients[place] is not None:
                self(gradients[place])

        tensor.grad_fn.register_prehook(hook)


@dataclass
class Call:
    """inputs: (time, batch, feature); lengths: (batch,) or None; initial, final: the states of each place, (batch, unit) each, None if
    they began at zero; outputs: (time, batch, unit · direction); half: whether it computed in half precision.

    gradients: what arrived at outputs and final states, as the tensors lie in PyTorch; see `d_outputs` and `d_final`.
    """

    part: Part
    inputs: Array
    lengths: Integers | None
    initial: list[tuple[Array, ...]] | None
    outputs: Array
    half: bool
    shape: Any  # the PackedSequence that came out, or None
    batched: bool
    gradients: list[Arrived] = field(default_factory=list)
    given: Any = None  # the state a cell was handed, and made, as tensors: what links one step to the next
    made: Any = None
    whole: bool = False  # whether what arrives at an LSTM cell's c includes what goes through its own h: where both are not made at once
    dropped: bool = False  # whether outputs were dropped between its layers
    drawing: Any = None  # state of the generator that dropout drew from, before the call

    @property
    def seen(self) -> bool:
        """Whether any gradient arrived: what nobody learns from is not looked at."""
        return any(arrived.value is not None for arrived in self.gradients)

    def unscaled(self, scale: float) -> "Call":
        """Itself, with gradients that a GradScaler had scaled as they would be without."""
        for arrived in self.gradients:
            if arrived.value is not None and scale != 1:
                arrived.value = arrived.value / scale
        return self

    @property
    def steps(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def size(self) -> int:
        return int(self.inputs.shape[1])

    def d_outputs(self) -> Array:
        """(time, batch, unit · direction), zero in the padding."""
        value = self.gradients[0].value
        return np.zeros_like(self.outputs) if value is None else self._laid(value)

    def d_final(self, place: int) -> tuple[Array, ...]:
        """Gradients of the final states of one place, (batch, unit) each. What arrives at a cell's hidden state is in `d_outputs`."""
        nothing = np.zeros((self.size, self.part.units), self.outputs.dtype)
        found = [arrived.value for arrived in self.gradients[1:]]
        if self.part.looped:
            return (nothing, *(nothing if value is None else plain(value).reshape(nothing.shape) for value in found))
        return tuple(nothing if value is None else plain(value)[place].reshape(nothing.shape) for value in found)

    def _laid(self, tensor: Any) -> Array:
        if self.shape is not None:
            return plain(pad_packed_sequence(_as(self.shape, tensor), total_length=self.steps)[0])
        return timewise(plain(tensor), self.part, self.batched)


def timewise(array: Array, part: Part, batched: bool) -> Array:
    """(time, batch, …) of what PyTorch took or gave."""
    if part.looped:
        return array[None] if batched else array[None, None]
    if not batched:
        return array[:, None]
    return array.swapaxes(0, 1) if part.batch_first else array


def read_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """What a recurrent module was called with: its inputs, and the state it was handed or None."""
    return args[0] if args else kwargs["input"], args[1] if len(args) > 1 else kwargs.get("hx")


def call_of(part: Part, given: tuple[Any, ...], made: Any, drawing: Any) -> Call | None:
    """The call of a module with its arguments and what it returned; None where no gradient can come back. drawing: the state of PyTorch's
    generator before the call, if the module drops outputs between its layers."""
    inputs, state = given
    outputs, _ = _outcome(part, made)
    packed = isinstance(outputs, PackedSequence)
    watched = tensors_of(part, made)
    first = watched[0]
    if not any(tensor.requires_grad for tensor in watched):
        return None
    batched = packed or inputs.dim() == (2 if part.looped else 3)
    lengths: Integers | None = None
    if packed:
        padded, ends = pad_packed_sequence(_as(inputs, inputs.data.detach()))
        read, lengths, came = plain(padded), ends.numpy(), plain(pad_packed_sequence(_as(outputs, first.detach()))[0])
    else:
        read, came = (timewise(plain(tensor), part, batched) for tensor in (inputs, first))
    call = Call(part, read, lengths, _initial(part, state), came, _is_half(first), outputs if packed else None, batched)
    call.given, call.made, call.drawing = state, made, drawing
    call.dropped = part.drops and bool(part.module.training)
    call.whole = part.looped and len(watched) > 1 and first.grad_fn is not watched[1].grad_fn
    for tensor in watched:
        call.gradients.append(Arrived())
        if tensor.requires_grad:
            call.gradients[-1].wait_at(tensor)
    return call


def tensors_of(part: Part, made: Any) -> list[Any]:
    """What a module returned: outputs first, then final states."""
    outputs, finals = _outcome(part, made)
    return [outputs.data if isinstance(outputs, PackedSequence) else outputs, *finals]


def _is_half(tensor: Any) -> bool:
    """Whether it was computed in half precision, whatever precision it has now."""
    return tensor.dtype in (torch.float16, torch.bfloat16) or torch.is_autocast_enabled(tensor.device.type)


def _as(packed: Any, data: Any) -> Any:
    return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)


def _outcome(part: Part, made: Any) -> tuple[Any, tuple[Any, ...]]:
    """What came out at every step, and the final states. Of a cell the hidden state is what comes out; an LSTM's has a cell state too."""
    if part.looped:
        return (made[0], (made[1],)) if isinstance(made, tuple) else (made, ())
    outputs, finals = made
    return outputs, finals if isinstance(finals, tuple) else (finals,)


def _initial(part: Part, state: Any) -> list[tuple[Array, ...]] | None:
    if state is None:
        return None
    arrays = [plain(tensor) for tensor in (state if isinstance(state, tuple) else (state,))]
    if part.looped:
        return [tuple(array.reshape(-1, part.units) for array in arrays)]
    return [tuple(array[k].reshape(-1, part.units) for array in arrays) for k in range(len(part.places))]
