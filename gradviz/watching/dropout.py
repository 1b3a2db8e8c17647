"""What a fused module dropped between its layers, drawn again.

PyTorch does not say what it drew. On a processor its layers draw one mask after the other from the common generator, so that the same
state of that generator gives the same masks. Whether it did is checked: only with the right masks are the replayed outputs those of the
module.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from gradviz.arrays import Array
from gradviz.errors import GradvizError
from gradviz.watching.calls import Call, plain
from gradviz.watching.joining import longer
from gradviz.watching.modules import Part

UNREADABLE = "what its dropout dropped cannot be drawn again on this device, and without that no gate or gradient inside would be right"


class NotReplayed(GradvizError):
    """A module whose step cannot be replayed, and why."""


class Drawn:
    """Stands where a generator draws what is dropped: gives the masks of the layers one after the other."""

    def __init__(self, masks: Sequence[Array]) -> None:
        self._left = list(masks)

    def random(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Below every share that is kept where a mask keeps, and above it where it does not."""
        mask = self._left.pop(0)
        if mask.shape != shape:
            raise NotReplayed(UNREADABLE)
        return np.where(mask != 0, 0, 1).astype(dtype)


def drawn(part: Part, calls: Sequence[Call]) -> Drawn:
    """The masks of all calls side by side, (time, batch, unit · direction) for every layer but the last."""
    if any(call.drawing is None for call in calls) or next(part.module.parameters()).device.type != "cpu":
        raise NotReplayed(UNREADABLE)
    steps = max(call.steps for call in calls)
    each = [_of_call(part, call) for call in calls]
    return Drawn([np.concatenate([longer(masks[layer], steps) for masks in each], axis=1) for layer in range(part.layers - 1)])


def _of_call(part: Part, call: Call) -> list[Array]:
    width, kind = call.outputs.shape[2], next(part.module.parameters()).dtype
    shape = (call.steps, call.size, width) if call.shape is None else (len(call.shape.data), width)
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(call.drawing)
        found = [torch.dropout(torch.ones(shape, dtype=kind), part.module.dropout, True) for _ in range(part.layers - 1)]
    if call.shape is None:
        return [plain(mask) for mask in found]
    packed = [PackedSequence(mask, call.shape.batch_sizes, call.shape.sorted_indices, call.shape.unsorted_indices) for mask in found]
    return [plain(pad_packed_sequence(mask, total_length=call.steps)[0]) for mask in packed]
