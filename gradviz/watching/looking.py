"""A model that is looked at once, without training: what goes through its recurrent modules, and what a gradient does on its way back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from gradviz.arrays import Parameters
from gradviz.errors import GradvizError
from gradviz.recording.store import RunWriter
from gradviz.recording.watched import from_the_end
from gradviz.watching import about
from gradviz.watching.calls import Call, call_of, plain, read_of
from gradviz.watching.joining import joined
from gradviz.watching.modules import Found, Part, recurrent_parts
from gradviz.watching.replay import Replay, replay_of, replayed
from gradviz.watching.rows import named
from gradviz.watching.telling import Teller

Loss = Callable[[Any], Any]


def is_model(item: object) -> bool:
    return isinstance(item, torch.nn.Module)


def state_of(path: str) -> dict[str, Any]:
    """The weights in a file of PyTorch's own kind. Nothing in it can run: PyTorch is asked for weights alone."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickles fail in many ways
        raise GradvizError(f"{path} cannot be read as weights alone: {error}") from error
    state = found.get("state_dict", found) if isinstance(found, Mapping) else None
    if not isinstance(state, Mapping):
        raise GradvizError(
            f"{path} holds a {type(found).__name__}; it must be a state_dict, as torch.save(model.state_dict(), …) writes it."
        )
    return {str(name): plain(tensor) for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def look(model: Any, batch: Any, loss: Loss | None, writer: RunWriter, lag: int | None) -> None:
    """One pass of `model` over `batch`, in the mode it is in, told as training step 1. loss: from what the model returns to a number;
    without one a gradient of length 1 goes back from the last step of each sequence. The model's gradients stay as they are."""
    found = recurrent_parts(model)
    if not found.parts:
        raise GradvizError(f"{'; '.join(found.notes)}. There is nothing to diagnose.")
    calls = _called(model, found, batch, loss)
    replays = [_replay(part, calls[part.name], loss is not None) for part in found.parts if calls[part.name]]
    if not replays:
        raise GradvizError("none of the recurrent modules was called while the model read the batch, or no gradient can come back to them.")
    writer.update(**about.described(model, found.parts, named(model, found.parts), 1, lag), notes=list(found.notes))
    teller = Teller(writer)
    start = {replay.part.name: _weights(replay.part) for replay in replays}
    teller.replays(1, replays, start, None)
    teller.end(1)


def _called(model: Any, found: Found, batch: Any, loss: Loss | None) -> dict[str, list[Call]]:
    """The calls of each module."""
    calls: dict[str, list[Call]] = {part.name: [] for part in found.parts}
    handles = [part.module.register_forward_hook(_keep(part, calls[part.name]), with_kwargs=True) for part in found.parts]
    frozen = [parameter for part in found.parts for parameter in part.module.parameters() if not parameter.requires_grad]
    try:
        for parameter in frozen:
            parameter.requires_grad_(True)
        with torch.enable_grad():
            out = model(**batch) if isinstance(batch, Mapping) else model(*batch) if isinstance(batch, tuple) else model(batch)
            if loss is not None:
                parameters = [parameter for part in found.parts for parameter in part.module.parameters()]
                torch.autograd.grad(loss(out), parameters, allow_unused=True)
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
        for handle in handles:
            handle.remove()
    return calls


def _keep(part: Part, calls: list[Call]) -> Callable[..., None]:
    def hook(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        call = call_of(part, read_of(args, kwargs), made, None)
        if call is not None:
            calls.append(call)

    return hook


def _replay(part: Part, calls: list[Call], felt: bool) -> Replay:
    """felt: whether a loss was followed; else a gradient sets out from the end of every sequence."""
    if part.drops and part.module.training:
        raise GradvizError(f"{part.name} drops outputs between its layers while it trains: call model.eval() first.")
    half, weights = any(call.half for call in calls), _weights(part)
    if felt:
        return replayed(part, [call for call in calls if call.seen] or calls, weights, {})
    given = replayed(part, calls, weights, {}).sequences if part.looped else joined(part, calls)
    if not given.linked:
        raise GradvizError(
            f"{part.name}: the model's own loop changes the state between steps, so no gradient can be followed from the end: give a loss."
        )
    d_outputs = from_the_end(given.outputs, given.lengths, part.directions)
    return replay_of(part, replace(given, d_outputs=d_outputs, whole=False), (weights, {}), half)


def _weights(part: Part) -> Parameters:
    names = [name for place in part.places for name in part.weights(*place).values()]
    return {name: plain(getattr(part.module, name)) for name in names}
