"""PyTorch's functions that change gradients between backward and update, listened to while something is watched.

They are wrapped when the first listener comes and put back when the last one leaves, so that several models can be watched at once and
left in any order. Clipping by norm is caught where all ways to it meet, also where `clip_grad_norm_` was imported by name before.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import torch
from torch.amp import GradScaler
from torch.nn.utils import clip_grad


class Listener(Protocol):
    """Whoever wants to know."""

    def clipping(self, rule: str, limit: float, parameters: Any) -> None:
        """Gradients are about to be clipped: "norm" or "value"."""

    def scaled(self, scale: float) -> None:
        """A loss was multiplied by so much."""

    def unscaled(self) -> None:
        """Gradients were divided by it again."""


_listeners: list[Listener] = []
_wrapped: list[tuple[Any, str, Any, Any]] = []  # where, name, original, wrapper


def listen(listener: Listener) -> None:
    """From now on, until `leave`."""
    _listeners.append(listener)
    if len(_listeners) == 1:
        for where, name, wrapper in _wrappers():
            original = getattr(where, name)
            wrapper = wraps(original)(wrapper(original))
            setattr(where, name, wrapper)
            _wrapped.append((where, name, original, wrapper))


def leave(listener: Listener) -> None:
    """The last one puts the functions back. What somebody else has wrapped since stays: it would be lost."""
    _listeners[:] = [other for other in _listeners if other is not listener]
    if not _listeners:
        for where, name, original, wrapper in _wrapped:
            if vars(where).get(name) is wrapper:
                setattr(where, name, original)
        _wrapped.clear()


Wrapper = Callable[[Any], Callable[..., Any]]


def _wrappers() -> list[tuple[Any, str, Wrapper]]:
    """Where, name, and what makes the wrapper of a function."""
    inner = getattr(clip_grad, "_clip_grads_with_norm_", None)
    norm: list[tuple[Any, str, Wrapper]] = [(clip_grad, "_clip_grads_with_norm_", _around_norm)] if inner is not None else []
    norm = norm or [(torch.nn.utils, "clip_grad_norm_", _around_norm), (clip_grad, "clip_grad_norm_", _around_norm)]
    value: list[tuple[Any, str, Wrapper]] = [(where, "clip_grad_value_", _around_value) for where in (torch.nn.utils, clip_grad)]
    return [
        *norm,
        *value,
        (GradScaler, "scale", _around_scale),
        (GradScaler, "unscale_", _around_unscale),
        (GradScaler, "step", _around_unscale),
    ]


def _around_norm(original: Any) -> Callable[..., Any]:
    return _around_clipping(original, "norm", "max_norm")


def _around_value(original: Any) -> Callable[..., Any]:
    return _around_clipping(original, "value", "clip_value")


def _around_clipping(original: Any, rule: str, limit: str) -> Callable[..., Any]:
    def clip(parameters: Any, *values: Any, **named: Any) -> Any:
        each = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        known = float(values[0] if values else named[limit]) if values or limit in named else float("nan")
        for listener in _listeners:
            listener.clipping(rule, known, each)
        return original(each, *values, **named)

    return clip


def _around_scale(original: Any) -> Callable[..., Any]:
    def scale(scaler: Any, outputs: Any) -> Any:
        found = original(scaler, outputs)
        for listener in _listeners:
            listener.scaled(float(scaler.get_scale()))
        return found

    return scale


def _around_unscale(original: Any) -> Callable[..., Any]:
    """Of `unscale_`, and of `step`: a fused optimizer divides by the scale itself, and leaves the gradients so."""

    def unscale(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(scaler, optimizer, *args, **kwargs)
        for listener in _listeners:
            listener.unscaled()
        return found

    return unscale
