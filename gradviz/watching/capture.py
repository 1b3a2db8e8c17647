"""One recorded step while it goes by: hooks that keep what a replay needs, and take themselves away again."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from gradviz.watching.calls import Arrived, Call, call_of, read_of, tensors_of
from gradviz.watching.modules import Part


class Capture:
    """Installed when a step begins that is to be recorded.

    weights: of every trained parameter, as the forward pass found them; own: the gradients that this step's backward passes gave the
    recurrent parameters; before: what had gathered after the last of them; after: what the optimizer was handed; new: what it made
    of the weights. scale: what a GradScaler multiplied the loss with; elsewhere: modules whose parameters also got gradients of evaluation.
    """

    def __init__(self, model: Any, parts: Sequence[Part]) -> None:
        self.parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        self.parts = parts
        self.weights: dict[str, Any] = {}
        self.calls: dict[str, list[Call]] = {part.name: [] for part in parts}
        self.own: dict[int, Arrived] = {}
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        self.new: dict[str, Any] = {}
        self.rate = float("nan")
        self.scale, self.unscaled = 1.0, False
        self.elsewhere: set[str] = set()
        self._states: dict[str, Any] = {}  # of PyTorch's generator before the latest call of a module that drops outputs
        self._names = {id(parameter): name for name, parameter in self.parameters.items()}
        self._handles: list[Any] = [model.register_forward_pre_hook(lambda module, inputs: self.snapshot())]
        self._of_optimizer = [
            register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: self.handed(*args, **kwargs)),
            register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self.updated(optimizer)),
        ]
        self._hook_parts()
        self._hook_parameters()

    def _hook_parts(self) -> None:
        for part in self.parts:
            if part.drops:
                self._handles.append(part.module.register_forward_pre_hook(self._drawing(part.name)))
            self._handles.append(part.module.register_forward_hook(self._seen(part), with_kwargs=True))
            for parameter in part.module.parameters():
                if parameter.requires_grad and id(parameter) not in self.own:  # once, if two modules share it
                    self.own[id(parameter)] = Arrived()
                    self._handles.append(parameter.register_hook(self._arriving(id(parameter))))

    def _hook_parameters(self) -> None:
        for name, parameter in self.parameters.items():
            self._handles.append(parameter.register_post_accumulate_grad_hook(self._gathered(name)))

    # ------------------------------------------------------------------ hooks: none of them returns anything, which would replace it

    def _seen(self, part: Part) -> Callable[..., None]:
        def hook(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
            if not torch.is_grad_enabled():
                return
            if not module.training:
                self._listen_elsewhere(part, made)
                return
            self.snapshot()
            call = call_of(part, read_of(args, kwargs), made, self._states.get(part.name))
            if call is not None:
                self.calls[part.name].append(call)

        return hook

    def _listen_elsewhere(self, part: Part, made: Any) -> None:
        """A call in evaluation is not looked at; but if a gradient comes from it, the parameters' are not of training alone."""

        def hook(gradients: tuple[Any, ...]) -> None:
            self.elsewhere.add(part.name)

        for tensor in tensors_of(part, made):
            if tensor.requires_grad:
                tensor.grad_fn.register_prehook(hook)

    def _drawing(self, name: str) -> Callable[..., None]:
        def hook(module: Any, args: tuple[Any, ...]) -> None:
            self._states[name] = torch.get_rng_state()

        return hook

    def _arriving(self, key: int) -> Callable[[Any], None]:
        def hook(gradient: Any) -> None:
            self.snapshot()
            self.own[key](gradient)

        return hook

    def _gathered(self, name: str) -> Callable[[Any], None]:
        def hook(parameter: Any) -> None:
            self.snapshot()
            if parameter.grad is not None:
                self.before[name] = _kept(parameter.grad)

        return hook

    # ------------------------------------------------------------------ moments

    def snapshot(self) -> None:
        """Keep the weights, once."""
        if not self.weights:
            self.weights = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    def handed(self, optimizer: Any, closure: Any = None) -> None:
        """An optimizer is about to step: what it has of this model's parameters is clipped by now; unless it has a closure, which makes
        the gradients: then they are taken when it has stepped."""
        for group in optimizer.param_groups if closure is None else []:
            self._take(group)

    def _take(self, group: dict[str, Any]) -> None:
        for parameter in group["params"]:
            name = self._names.get(id(parameter))
            if name is not None and parameter.grad is not None and name in self.before and name not in self.after:
                self.after[name] = _kept(parameter.grad) / self.factor
                self.rate = float(group.get("lr", float("nan")))

    def updated(self, optimizer: Any) -> None:
        """An optimizer has stepped."""
        for group in optimizer.param_groups:
            self._take(group)
            for parameter in group["params"]:
                name = self._names.get(id(parameter))
                if name is not None and name in self.before and name not in self.new:
                    self.new[name] = parameter.detach().clone()

    @property
    def factor(self) -> float:
        """What the gradients there are now have to be divided by."""
        return 1.0 if self.unscaled else self.scale

    @property
    def whole(self) -> bool:
        """Whether every parameter with a gradient has been updated."""
        return all(name in self.new for name in self.before)

    def take_gradients(self) -> None:
        """What is not handed to an optimizer yet, as it is now; gone if it was set to nothing, then as it was before clipping."""
        for name in self.before.keys() - self.after.keys():
            gradient = self.parameters[name].grad
            self.after[name] = self.before[name] / self.scale if gradient is None else _kept(gradient) / self.factor

    def take_weights(self) -> None:
        """What has not been updated by an optimizer of PyTorch's is taken as it is now."""
        for name in self.before.keys() - self.new.keys():
            self.new[name] = self.parameters[name].detach().clone()
        self._remove(self._of_optimizer)

    def rest(self) -> None:
        """Take all hooks off the model; those of optimizers wait for an update."""
        self._remove(self._handles)

    def remove(self) -> None:
        """Take all hooks off."""
        self.rest()
        self._remove(self._of_optimizer)

    def _remove(self, handles: list[Any]) -> None:
        for handle in handles:
            handle.remove()
        handles.clear()


def _kept(gradient: Any) -> Any:
    """A copy, dense."""
    found = gradient.detach()
    return found.to_dense() if found.is_sparse else found.clone()
