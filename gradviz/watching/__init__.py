"""Watching a training that is written in PyTorch: `with gradviz.watch(model, "runs/mine", every=50) as run:`.

This package is the only one that knows PyTorch, and it loads it when something is watched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradviz.errors import GradvizError
from gradviz.recording.store import RunWriter

if TYPE_CHECKING:
    from gradviz.watching.watched import Watched

__all__ = ["watch"]

MISSING = 'PyTorch is not installed. It comes with the extra "torch": pip install "gradviz-rnn[torch]", or pip install torch.'


def check_torch() -> None:
    """A GradvizError that says how to get PyTorch, where it is missing."""
    if find_spec("torch") is None:
        raise GradvizError(MISSING)


@contextmanager
def watch(
    model: Any, folder: Path | str, every: int = 50, *, name: str = "", lag: int | None = None, force: bool = False
) -> Iterator["Watched"]:
    """Record a model's recurrent gradients into a run folder while your own loop trains it; call `run.step(loss)` once a training step.

        with gradviz.watch(model, "runs/mine", every=50) as run:
            for inputs, targets in batches:
                loss = …
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                run.step(loss)
                optimizer.zero_grad()

    model: a torch.nn.Module, not compiled; every: record every so many training steps, the first one included; lag: how many steps back
    the task makes a network remember, if that is known; force: replace a run that is there.

    Every nn.RNN, GRU and LSTM and every RNNCell, GRUCell and LSTMCell in the model is replayed in gradviz's own core at recorded steps, and
    compared with PyTorch's outputs and gradients; a difference is warned of and stored. Only calls in training mode with gradients count.
    When the block is left, also by an exception, the model is as it was.
    """
    check_torch()
    from gradviz.watching import about, listening  # PyTorch is loaded only now
    from gradviz.watching.modules import recurrent_parts
    from gradviz.watching.rows import named
    from gradviz.watching.watched import Watched

    if every < 1:
        raise GradvizError(f"every is {every}; it must be at least 1.")
    found = recurrent_parts(model)
    meta = about.described(model, found.parts, named(model, found.parts), every, lag)
    meta |= {"name": name or Path(folder).name, "notes": list(found.notes)}
    with RunWriter.create(folder, meta, force=force) as writer:
        run = Watched(model, found, writer, every)
        listening.listen(run)
        try:
            yield run
        except BaseException as error:
            _leave(run, listening.leave, error)
            raise
        _leave(run, listening.leave, None)


def _leave(run: "Watched", leave: Any, error: BaseException | None) -> None:
    """Take everything off. An error of the training is the one to see, whatever goes wrong here."""
    leave(run)
    try:
        run.close()
    except GradvizError as second:
        if error is None:
            raise
        error.add_note(str(second))
