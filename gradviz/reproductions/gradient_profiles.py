"""How far a gradient reaches before anything is learned, by how a network begins (Arjovsky, Shah and Bengio 2016 and others)."""

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
from gradviz.reproductions import _exact
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.tasks.adding import Adding
from gradviz.wording import THIN, listed, number, number_of_log, span

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


class GradientProfiles(Reproduction):
    title = "How far the gradient reaches at the beginning"
    source = (
        "Arjovsky, Shah and Bengio 2016; Le, Jaitly and Hinton 2015; Jozefowicz, Zaremba and Sutskever 2015; Tallec and Ollivier 2018; "
        "Pascanu, Mikolov and Bengio 2013"
    )
    question = (
        "Before anything is learned, how much of the last step's gradient is left a hundred steps back? It depends on the recurrent matrix "
        "a network begins with, and in an LSTM on the bias of the forget gate."
    )
    minutes = 1

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        seeds, batch = (2, 4) if quick else (SEEDS, BATCH)
        tell(f"Following the gradient back through {len(STARTS) * seeds} networks that have learned nothing")
        found = {name: [follow(start, seed + k, batch) for k in range(seeds)] for name, start in STARTS.items()}
        statements = (
            *_exact.statements(seed, seeds),
            _identity(found, seed),
            _bounded(found),
            _unitary(found),
            _bias(found),
            _chrono(found),
        )
        return Outcome(_claim(found), statements, _settings(seeds, batch), (_profiles(found), _ratios(found)))


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


# ---------------------------------------------------------------------- what it says

Found = dict[str, list[Profile]]


def said(log10: float) -> str:
    """A share whose log10 is given: 0.27, 57, 3.7 × 10⁻¹⁴."""
    return number(10**log10) if -2 <= log10 < 4 else number_of_log(log10)


def _of(found: Found, name: str) -> str:
    return f"{STARTS[name].words} {span([profile.ratio for profile in found[name]], said)}"


def _middle(found: Found, name: str) -> float:
    return float(np.median([profile.ratio for profile in found[name]]))


def _bounded(found: Found) -> Statement:
    names = [name for name in found if np.isfinite(found[name][0].bound)]
    above = max(profile.above for name in names for profile in found[name])
    return Statement(
        "One step back stretches the gradient of a tanh or relu network by at most γσ₁, the largest singular value of its recurrent "
        "matrix.",
        "Pascanu, Mikolov and Bengio 2013, section 2.1",
        f"The largest factor of any step of {len(names) * len(found['small'])} networks is {10**above:.6f} times this bound.",
        agrees(above <= 1e-9),
    )


def _identity(found: Found, seed: int) -> Statement:
    share = _exact.left_active(seed)
    return Statement(
        "With the identity as recurrent matrix of rectified linear units, the gradient stays constant on its way back.",
        "Le, Jaitly and Hinton 2015, introduction",
        f"Where all units are active, {number(share)} of it is left after {STEPS} steps; with input weights of either sign, of what was "
        f"there one step back, {_of(found, 'identity')}.",
        agrees(abs(share - 1) < 1e-9),
        "It holds for units that are active: what has been switched off, here by a mark with a negative weight, passes nothing on.",
    )


def _unitary(found: Found) -> Statement:
    return Statement(
        "The gradient of a network with a unitary recurrent matrix decays most slowly.",
        "Arjovsky, Shah and Bengio 2016, figure on gradient norms (a picture without numbers)",
        f"Left {STEPS} steps back of what was there one step back: "
        f"{'; '.join(_of(found, name) for name in ('orthogonal', 'glorot', 'small'))}.",
        "open",
        "Their network is complex, with a unit that keeps a state's phase; here tanh squashes, and a state that does not shrink is "
        "squashed the more. An orthogonal matrix alone does not keep the gradient of a tanh network.",
    )


def _bias(found: Found) -> Statement:
    gain = _middle(found, "forget 1") - _middle(found, "forget 0")
    return Statement(
        "Adding 1 to the bias of the LSTM's forget gate closes the gap between the LSTM and the GRU.",
        "Jozefowicz, Zaremba and Sutskever 2015, abstract",
        f"Left after {STEPS} steps: {_of(found, 'forget 0')}; {_of(found, 'forget 1')}. The bias of 1 makes it {said(gain)} times as "
        "large.",
        "open",
        "The statement is about what is learned, the measurement about what the gradient could teach before.",
    )


def _chrono(found: Found) -> Statement:
    gain = _middle(found, "chrono") - _middle(found, "forget 1")
    return Statement(
        "Chrono initialization greatly improves the learning of long-term dependencies.",
        "Tallec and Ollivier 2018, abstract",
        f"Left after {STEPS} steps: {_of(found, 'chrono')}, {said(gain)} times as much as with forget bias 1; {_of(found, 'forget 5')}.",
        "open",
        "The statement is about what is learned, the measurement about what the gradient could teach before.",
    )


def _claim(found: Found) -> str:
    parts = [f"{said(_middle(found, name))} with {STARTS[name].words}" for name in ("forget 0", "forget 1", "chrono")]
    return f"Of an LSTM's gradient {STEPS} steps leave {listed(parts)}"


def _settings(seeds: int, batch: int) -> tuple[Setting, ...]:
    return (
        Setting("network", "–", f"{UNITS} units, one layer"),
        Setting("sequences", "–", f"adding problem, {STEPS} steps, {batch} a network"),
        Setting("recurrent matrix of the LSTM", "–", "orthogonal for each gate"),
        Setting("input weights", "–", "N(0, 0.3²)"),
        Setting(
            "followed", "gradient of the loss with respect to the hidden state", "the same; in the LSTM with respect to the cell state"
        ),
        Setting("networks for each beginning", "–", str(seeds)),
        Setting("precision", "–", "64 bits"),
    )


# ---------------------------------------------------------------------- pictures


def _profiles(found: Found) -> Description:
    lags = np.arange(1.0, STEPS + 1)
    rows = [
        pd.DataFrame({"start": STARTS[name].words, "network": k, "lag": lags, "log10 ratio": profile.logs})
        for name, profiles in found.items()
        for k, profile in enumerate(profiles)
    ]
    small = found["small"][0].bound
    bound = Line(lags, small * (lags - 1), "(γσ₁)ᵏ", "ink", dashed=True, label="bound (γσ₁)ᵏ")
    return Description(
        "gradient_profiles",
        f"A tanh network that begins with N(0, 0.01²) has {said(_middle(found, 'small'))} of its gradient left after {STEPS} steps, "
        f"an LSTM with chrono biases {said(_middle(found, 'chrono'))}",
        "Norm of the gradient of the last step's loss, over the norm one step back; the first network of each beginning, median over "
        "sequences. Log scale; each panel has its own.",
        "A flat line keeps what the end of a sequence has to say to its beginning. A straight line down fades by the same factor each "
        "step.",
        pd.concat(rows, ignore_index=True),
        (
            Panel(_lines(found, PLAIN, lags), *_axes(), "recurrent network", "rnn"),
            Panel((*_lines(found, ("small",), lags), bound), *_axes(), "small weights", "rnn"),
            Panel(_lines(found, GATED, lags), *_axes(), "LSTM, cell state", "lstm"),
        ),
        columns=1,
        shape="line",
        source="Arjovsky, Shah and Bengio 2016; Pascanu, Mikolov and Bengio 2013",
    )


def _axes() -> tuple[Axis, Axis]:
    return Axis("steps back"), Axis("share of the gradient", "log")


def _lines(found: Found, names: Sequence[str], lags: Array) -> tuple[Line | Rule, ...]:
    lines = [Line(lags, found[name][0].logs, STARTS[name].words, STARTS[name].cell.family, label=STARTS[name].words) for name in names]
    return (*lines, Rule(0.0))


def _ratios(found: Found) -> Description:
    panels = [_seeds(found, PLAIN, "recurrent network"), _seeds(found, GATED, "LSTM, cell state")]
    rows = [(STARTS[name].words, k, profile.ratio) for name in found for k, profile in enumerate(found[name])]
    spread = {name: max(profile.ratio for profile in found[name]) - min(profile.ratio for profile in found[name]) for name in found}
    widest = max((*PLAIN, *GATED), key=lambda name: spread[name])
    return Description(
        "gradient_ratios",
        f"Chance matters most with {STARTS[widest].words}: networks differ by a factor of {said(spread[widest])}",
        f"Gradient {STEPS} steps back over that one step back; a mark for each network. Log scale. Left out, as it lies far below: "
        f"{_of(found, 'small')}.",
        f"Marks close together say that the way of beginning decides, not the seed. Above 10⁰{THIN}={THIN}1 the gradient grows.",
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
