"""The demo's nine experiments. Each setting was chosen because its story is true for every seed tried (0 to 4).

In all of them the plain RNN's gradient starts by growing 1.13 to 1.14-fold with every step back, and it learns far less without clipping
than with it. Where the unclipped one comes to rest, just above 1 or just below, depends on the seed, and even on rounding: an explosion
amplifies that too, so the same seed promises the same numbers on the same machine only.
"""

from dataclasses import replace

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.initializers import Initialization
from gradviz.optimizers.adam import Adam
from gradviz.tasks.adding import Adding
from gradviz.tasks.text import Text

ORDER = ("lstm", "gru", "rnn")  # the slowest first, so that no process waits at the end for a long one

# Recurrent matrices of twice an orthogonal one: the plain RNN's gradient grows 1.14-fold with every step back, the gated cells' does not.
TEXT_START = Initialization(recurrent="orthogonal", gain=2.0, input_scale=0.3, forget_bias=1.0)
# Orthogonal: the best start a tanh network can have, and its gradient still fades within a few steps.
ADDING_START = Initialization(recurrent="orthogonal", gain=1.0, input_scale=0.5)
ADDING_LENGTH = 150


def shortened(experiment: Experiment, updates: int) -> Experiment:
    """The same experiment with fewer updates, to try things out."""
    return replace(experiment, training=replace(experiment.training, updates=updates))


def experiments(seed: int = 0) -> dict[str, Experiment]:
    """By name: three cells on English text, each without and with clipping, and the same three on a task with a long lag."""
    adding = {f"adding-{cell}": _adding(cell, seed) for cell in ORDER}
    return adding | {f"text-{cell}{end}": _text(cell, clip, seed) for cell in ORDER for clip, end in ((False, ""), (True, "-clip"))}


def _text(cell: str, clip: bool, seed: int) -> Experiment:
    rule = Norm(limit=0.5) if clip else CLIPPING["none"]()
    training = Training(updates=500, batch=32, optimizer=Adam(rate=0.01), clipping=rule, seed=seed)
    model = Model(cell=CELLS[cell](), units=64, initialization=TEXT_START)
    return Experiment(Text(length=100, test=0.0), model, training, Recording(every=10, reach_every=16, probe_every=250))


def _adding(cell: str, seed: int) -> Experiment:
    # Chrono initialisation opens the LSTM's forget gate for lags up to the sequence's length; a forget bias of 1 does not suffice here.
    start = replace(ADDING_START, chrono=ADDING_LENGTH) if cell == "lstm" else ADDING_START
    training = Training(updates=400, batch=32, optimizer=Adam(rate=0.01), clipping=Norm(limit=1.0), seed=seed)
    model = Model(cell=CELLS[cell](), units=64, initialization=start)
    return Experiment(Adding(length=ADDING_LENGTH), model, training, Recording(every=10, reach_every=16, probe_every=200))
