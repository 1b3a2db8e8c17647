"""An experiment: task, model, training, recording. Frozen, stored in every run, turned into flags by the command line."""

from dataclasses import dataclass, field
from typing import Any

from gradviz import options
from gradviz.cells import CELLS, Cell
from gradviz.clipping import CLIPPING, Clipping
from gradviz.errors import GradvizError
from gradviz.initializers import Initialization
from gradviz.optimizers import OPTIMIZERS, Optimizer
from gradviz.options import check, entry, option
from gradviz.rates import RATES, Rate
from gradviz.regularizers import REGULARIZERS, Regularizer
from gradviz.tasks import TASKS, Task

WATCHED = "watched"  # stands for the task of a training that is not gradviz's own
DIRECTIONS = ("forward", "backward", "both")
IMPORTED = "imported"  # stands for the task of a run that was made of another program's log


@dataclass(frozen=True)
class Model:
    """The network: embedding (or one-hot, or real values) → layers → readout."""

    cell: Cell = entry(CELLS, "lstm", "kind of recurrent cell")
    units: int = option(64, "units of each layer and direction", low=1)
    layers: int = option(1, "layers, one on top of the other", low=1)
    direction: str = option("forward", "how every layer reads a sequence", choices=DIRECTIONS)
    biases: bool = option(True, "recurrent layers have biases; the readout always has one")
    embedding: int = option(0, "size of the token embedding; 0 feeds tokens one-hot", low=0)
    tied: bool = option(False, "read out with the embedding: its size must be that of the readout's input (Press and Wolf 2017)")
    dropout: float = option(0.0, "share of a layer's outputs that the layer above does not see while training", low=0.0, high=0.95)
    initialization: Initialization = field(default_factory=Initialization)

    def __post_init__(self) -> None:
        check(self)
        if self.dropout and self.layers == 1:
            raise GradvizError("dropout acts between layers, and there is 1; use at least 2 layers or dropout 0.")


@dataclass(frozen=True)
class Training:
    """How the network learns."""

    updates: int = option(500, "number of parameter updates", low=0)
    batch: int = option(32, "sequences in a batch", low=1)
    optimizer: Optimizer = entry(OPTIMIZERS, "adam", "how gradients change the weights")
    schedule: Rate = entry(RATES, "constant", "how the learning rate changes over the updates")
    clipping: Clipping = entry(CLIPPING, "none", "how long gradients are shortened")
    regularizer: Regularizer = entry(REGULARIZERS, "none", "what a gradient should do on its way back, besides lowering the loss")
    reduction: str = option("mean", "loss to descend: the mean per step, or the course notes' sum over time", choices=("mean", "sum"))
    truncation: int = option(0, "cut the gradient through time every so many steps; 0 never cuts", low=0)
    carry_state: bool = option(False, "start each batch from the last one's final states (for contiguous text)")
    patience: int = option(0, "stop after so many measurements of the held-out loss without a new best one; 0 never", low=0)
    checkpoint_every: int = option(
        100, "keep what it takes to go on every so many updates; 0 only when training ends or is interrupted", low=0
    )
    precision: str = option("float32", "number format of the network", choices=("float32", "float64"))
    seed: int = option(0, "seed of weights and batches; the same seed gives the same run on the same machine", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.regularizer.acts and self.truncation:
            raise GradvizError(
                f"truncation {self.truncation} cuts the gradient that the regularizer looks at; use truncation 0, or no regularizer."
            )


@dataclass(frozen=True)
class Recording:
    """What is kept, and how often."""

    every: int = option(10, "record time steps and parameters every so many updates", low=1)
    reach_every: int = option(20, "measure how far back the last step's gradient reaches every so many updates; 0 never", low=0)
    validate_every: int = option(0, "measure the held-out loss every so many updates; 0 only where reach is measured", low=0)
    probe_every: int = option(100, "keep whole arrays of the probe sequences every so many updates; 0 never", low=0)
    held_out: int = option(64, "held-out sequences for loss and reach", low=1)
    probe_examples: int = option(2, "held-out sequences whose whole arrays are kept", low=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run."""

    task: Task = entry(TASKS, "text", "what the network learns")
    model: Model = field(default_factory=Model)
    training: Training = field(default_factory=Training)
    recording: Recording = field(default_factory=Recording)
    name: str = option("", "name of the run; empty makes one from cell and clipping")

    def __post_init__(self) -> None:
        self._check_patience()
        if self.training.carry_state:
            self._check_carried()

    def _check_patience(self) -> None:
        if self.training.patience and not (self.recording.validate_every or self.recording.reach_every):
            raise GradvizError(
                f"patience is {self.training.patience}, but the held-out loss is never measured: set validate_every, for example 20, or "
                "reach_every above 0."
            )

    def _check_carried(self) -> None:
        if not self.task.continues:
            raise GradvizError(
                "carry_state starts each batch from the last one's final states, but this task's sequences do not continue one another; "
                "use the task text with order contiguous, or no carry_state."
            )
        if self.model.direction != "forward":
            raise GradvizError(
                f"carry_state does not go with direction {self.model.direction}: reading backward begins at the end of a sequence, and "
                "what follows has not been read yet. Use direction forward, or no carry_state."
            )

    def to_dict(self) -> dict[str, Any]:
        return options.to_dict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Experiment":
        try:
            task = values.get("task")
            if isinstance(task, dict) and task.get("name") == WATCHED:
                raise GradvizError("this is a watched PyTorch training: your own script trains it and can go on with it, gradviz cannot.")
            return options.from_dict(cls, _as_named_now(values))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise GradvizError(f"this is not an experiment: {error}") from error


def _as_named_now(values: dict[str, Any]) -> dict[str, Any]:
    """Runs stored before there was `direction` say `bidirectional`: true is "both", false "forward". A log that was imported is refused."""
    model, task = values.get("model"), values.get("task")
    if isinstance(task, dict) and task.get("name") == IMPORTED:
        raise GradvizError("this run was imported from a log: there is no network in it, and gradviz did not train it.")
    if not isinstance(model, dict) or not isinstance(model.get("bidirectional"), bool):
        return values
    rest = {name: value for name, value in model.items() if name != "bidirectional"}
    return {**values, "model": {"direction": "both" if model["bidirectional"] else "forward", **rest}}
