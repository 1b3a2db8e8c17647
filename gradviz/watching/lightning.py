"""A callback for Lightning: `Trainer(callbacks=[gradviz.lightning_callback("runs/mine")])` watches the module that is trained."""

import sys
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from gradviz.errors import GradvizError
from gradviz.watching import watch

PACKAGES = ("lightning.pytorch", "pytorch_lightning")  # two names of one library; their classes are not each other's
MISSING = "Lightning is not installed: pip install lightning."


def lightning_callback(folder: Path | str, every: int = 50, *, name: str = "", lag: int | None = None, force: bool = False) -> Any:
    """A Lightning callback that records into `folder` as `gradviz.watch` does, with the same options; see there.

    A training step is an update of the weights, however many batches it gathers gradients of; its loss is that of the last batch. Works
    with automatic optimization, where Lightning clears gradients before the backward pass and not after the update.
    """
    base = _library().Callback

    @final
    class Watching(base):  # type: ignore[misc, valid-type]
        """Watches from the start of the fit to its end, also to an end by an exception."""

        def __init__(self) -> None:
            self.open = ExitStack()
            self.run: Any = None
            self.updates = 0

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            self.run = self.open.enter_context(watch(pl_module, folder, every, name=name, lag=lag, force=force))
            self.updates = trainer.global_step

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            if trainer.global_step > self.updates:
                self.updates = trainer.global_step
                self.run.step(outputs["loss"] if isinstance(outputs, dict) else outputs)

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            self.open.close()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            self.open.__exit__(type(exception), exception, exception.__traceback__)

    return Watching()


def _library() -> Any:
    """The one that is in use, else the one that is there."""
    found = [package for package in PACKAGES if package in sys.modules] or [
        package for package in PACKAGES if find_spec(package.split(".")[0]) is not None
    ]
    if not found:
        raise GradvizError(MISSING)
    return import_module(found[0])
