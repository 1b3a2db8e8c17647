"""Ways of beginning, how far the gradient reaches with each, and the pictures of that."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array, norm
from gradviz.cells import CELLS, Cell
from gradviz.cells.rnn import RNN
from gradviz.charts._description import Axis, Description, Line, Panel, Points, Rule
from gradviz.config import Model
from gradviz.dynamics.recurrent import recurrent
from gradviz.initializers import Initialization
from gradviz.network import Network
from gradviz.tasks.adding import Adding
from gradviz.wording import number, number_of_log, span

STEPS, UNITS, SEEDS, BATCH, LAYER = 100, 128, 8, 20, "layers.0.forward"
SMALL = 0.01 * np.sqrt(UNITS)  # times N(0, 1/units) is N(0, 0.01²)


@dataclass(frozen=True)
class Start:
    """How a network begins: words, cell, initialization, and the state whose gradient is followed."""

    words: str
    cell: Cell
    begin: Initialization
    state: str = "hidden"


STARTS = {
    "glorot": Start("tanh, Glorot", RNN(), Initialization(recurrent="glorot")),
    "orthogonal": Start("tanh, orthogonal", RNN(), Initialization(recurrent="orthogonal")),
    "identity": Start("relu, identity", RNN(activation="relu"), Initialization(recurrent="identity")),
    "small": Start("tanh, N(0, 0.01²)", RNN(), Initialization(recurrent="normal", gain=SMALL)),
    "forget 0": Start("forget bias 0", CELLS["lstm"](), Initialization(forget_bias=0.0), "cell"),
    "forget 1": Start("forget bias 1", CELLS["lstm"](), Initialization(forget_bias=1.0), "cell"),
    "chrono": Start("chrono biases", CELLS["lstm"](), Initialization(chrono=STEPS), "cell"),
    "forget 5": Start("forget bias 5", CELLS["lstm"](), Initialization(forget_bias=5.0), "cell"),
}
PLAIN, GATED = ("glorot", "orthogonal", "identity"), ("forget 0", "forget 1", "chrono", "forget 5")


@dataclass(frozen=True)
class Profile:
    """logs: (lag,) log10 of the gradient's norm at lag 1 … steps over that at lag 1, the median over sequences; bound: log10 of γσ₁, NaN
    for gated cells; above: by how much log10 the steepest step back of any sequence goes beyond it."""

    logs: Array
    bound: float
    above: float

    @property
    def ratio(self) -> float:
        return float(self.logs[-1])


def follow(start: Start, seed: int, batch: int) -> Profile:
    """On fresh sequences of the adding problem, in float64, from a random gradient of the outputs at the last step."""
    data, rng = Adding(length=STEPS).open(seed), np.random.default_rng([0x9A0F, seed])
    network = Network(Model(start.cell, units=UNITS, initialization=start.begin), data.signature, dtype="float64", seed=seed)
    run = network.forward(data.batch(batch, rng).inputs)
    gradients = network.backward(run, rng.standard_normal(run.outputs.shape), parameters=False)
    which = network.model.cell.states.index(start.state)
    by_step = np.concatenate([gradients.initial[LAYER][which][None], run.tapes[LAYER].gradients(start.state)])
    with np.errstate(divide="ignore"):
        logs = np.log10(norm(by_step, axis=2))[::-1]
    bound = float(np.log10(recurrent(network)[0].bound))
    return Profile(np.median(logs[1:] - logs[1], axis=1), bound, float((np.diff(logs, axis=0) - bound).max()))


Found = dict[str, list[Profile]]


def said(log10: float) -> str:
    """A share whose log10 is given: 0.27, 57, 3.7 × 10⁻¹⁴."""
    return number(10**log10) if -2 <= log10 < 4 else number_of_log(log10)


def of(found: Found, name: str) -> str:
    return f"{STARTS[name].words} {span([profile.ratio for profile in found[name]], said)}"


def middle(found: Found, name: str) -> float:
    return float(np.median([profile.ratio for profile in found[name]]))


# ---------------------------------------------------------------------- pictures


def profiles(found: Found) -> Description:
    lags = np.arange(1.0, STEPS + 1)
    return Description(
        "gradient_profiles",
        f"After {STEPS} steps {said(middle(found, 'orthogonal'))} of the gradient of an orthogonal tanh network is left, and "
        f"{said(middle(found, 'chrono'))} of that of an LSTM with chrono biases",
        "Norm of the gradient of the last step's loss, over the norm one step back; the first network of each beginning, median over "
        "sequences. Log scale.",
        "A flat line keeps what the end of a sequence has to say to its beginning. A straight line down fades by the same factor each "
        "step.",
        _frame(found, (*PLAIN, *GATED)),
        (
            Panel(_lines(found, PLAIN, lags), *_axes(), "recurrent network", "rnn"),
            Panel(_lines(found, GATED, lags), *_axes(), "LSTM, cell state", "lstm"),
        ),
        columns=1,
        shape="line",
        source="Arjovsky, Shah and Bengio 2016; Tallec and Ollivier 2018",
    )


def small_weights(found: Found) -> Description:
    """Where the bound alone decides."""
    lags = np.arange(1.0, STEPS + 1)
    first = found["small"][0]
    bound = Line(lags, first.bound * (lags - 1), "(γσ₁)ᵏ", "ink", dashed=True, label="bound (γσ₁)ᵏ")
    return Description(
        "gradient_bound",
        f"With weights N(0, 0.01²) {said(first.ratio)} of the gradient is left after {STEPS} steps, where the bound allows "
        f"{said(first.bound * (STEPS - 1))}",
        f"Norm of the gradient over the norm one step back, and the largest it could be: γσ₁ is {number(10**first.bound)}. The first "
        "network, median over sequences. Log scale.",
        "Where the bound falls, no input and no task can keep the gradient: it must vanish.",
        _frame(found, ("small",)),
        (Panel((*_lines(found, ("small",), lags), bound), *_axes(), "recurrent network", "rnn"),),
        columns=1,
        shape="line",
        source="Pascanu, Mikolov and Bengio 2013, section 2.1",
    )


def _frame(found: Found, names: Sequence[str]) -> pd.DataFrame:
    rows = [
        pd.DataFrame({"start": STARTS[name].words, "network": k, "lag": np.arange(1, STEPS + 1), "log10 ratio": profile.logs})
        for name in names
        for k, profile in enumerate(found[name])
    ]
    return pd.concat(rows, ignore_index=True)


def _axes() -> tuple[Axis, Axis]:
    return Axis("steps back"), Axis("share left", "log")


def _lines(found: Found, names: Sequence[str], lags: Array) -> tuple[Line | Rule, ...]:
    lines = [Line(lags, found[name][0].logs, STARTS[name].words, STARTS[name].cell.family, label=STARTS[name].words) for name in names]
    return (*lines, Rule(0.0))


def ratios(found: Found) -> Description:
    panels = [_seeds(found, PLAIN, "recurrent network"), _seeds(found, GATED, "LSTM, cell state")]
    rows = [(STARTS[name].words, k, profile.ratio) for name in found for k, profile in enumerate(found[name])]
    spread = {name: max(profile.ratio for profile in found[name]) - min(profile.ratio for profile in found[name]) for name in found}
    widest = max((*PLAIN, *GATED), key=lambda name: spread[name])
    return Description(
        "gradient_ratios",
        f"Chance matters most with {STARTS[widest].words}: networks differ by a factor of {said(spread[widest])}",
        f"Gradient {STEPS} steps back over that one step back; a mark for each network. Log scale. Left out, as it lies far below: "
        f"{of(found, 'small')}.",
        "Marks close together say that the way of beginning decides, not the seed. Above 1 the gradient has grown.",
        pd.DataFrame(rows, columns=["start", "network", "log10 ratio"]),
        tuple(panels),
        columns=2,
    )


def _seeds(found: Found, names: Sequence[str], heading: str) -> Panel:
    marks = []
    for at, name in enumerate(names):
        ratios = np.array([profile.ratio for profile in found[name]])
        aside = np.linspace(-0.15, 0.15, len(ratios))  # so that equal ones do not cover each other
        marks.append(Points(at + aside, ratios, STARTS[name].words, STARTS[name].cell.family, small=True))
    family = STARTS[names[0]].cell.family
    ticks = tuple((float(at), name if family == "rnn" else name.replace("forget ", "bias ")) for at, name in enumerate(names))
    x = Axis("begins with", limits=(-0.5, len(names) - 0.5), ticks=ticks)
    return Panel((*marks, Rule(0.0)), x, Axis("share left", "log"), heading, family)
