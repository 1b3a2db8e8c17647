"""Gradients of networks before training that can be calculated, and what is measured of them."""

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells import CELLS, Cell
from gradviz.cells.rnn import RNN
from gradviz.config import Model
from gradviz.initializers import Initialization
from gradviz.network import Network
from gradviz.reproductions._base import Statement, agrees
from gradviz.wording import listed, number

STEPS, UNITS, BIASES, FACTORS, LONGEST = 100, 32, (0.0, 1.0, 2.0, 5.0), (0.9, 1.0, 1.1), 100
NAME = "layers.0.forward"


def statements(seed: int, seeds: int) -> tuple[Statement, ...]:
    return _scaled(seed), _biased(seed), _spread(seed, seeds)


def left(cell: Cell, begin: Initialization, seed: int, *, wipe: bool = False) -> tuple[float, Array]:
    """How much of the last state's gradient is left before the first of 100 steps without input, and the layer's biases (gate, unit).
    wipe: all its weights are zero; the state whose gradient is followed is the cell's last one."""
    signature = Signature(inputs=1, outputs=1, tokens=False, loss="squared", at="last")
    network = Network(Model(cell, units=UNITS, initialization=begin), signature, dtype="float64", seed=seed)
    for part in ("weight_ih", "weight_hh") if wipe else ():
        network.parameters[f"{NAME}.{part}"][:] = 0
    run = network.forward(np.zeros((STEPS, 1, 1)))
    ends = [np.zeros((1, UNITS)) for _ in cell.states]
    ends[-1] = np.random.default_rng([0xE4AC, seed]).standard_normal((1, UNITS))
    gradients = network.backward(run, np.zeros(run.outputs.shape), {NAME: tuple(ends)}, parameters=False)
    share = float(np.linalg.norm(gradients.initial[NAME][-1]) / np.linalg.norm(ends[-1]))
    return share, network.parameters[f"{NAME}.bias"]


def left_active(seed: int) -> float:
    """As `left`, of rectified linear units with the identity as recurrent matrix, all of them active."""
    signature = Signature(inputs=1, outputs=1, tokens=False, loss="squared", at="last")
    model = Model(RNN(activation="relu"), units=UNITS, initialization=Initialization(recurrent="identity"))
    network = Network(model, signature, dtype="float64", seed=seed)
    np.abs(network.parameters[f"{NAME}.weight_ih"], out=network.parameters[f"{NAME}.weight_ih"])
    run = network.forward(np.ones((STEPS, 1, 1)))
    end = np.random.default_rng([0xE4AC, seed]).standard_normal((1, UNITS))
    gradients = network.backward(run, np.zeros(run.outputs.shape), {NAME: (end,)}, parameters=False)
    return float(np.linalg.norm(gradients.initial[NAME][0]) / np.linalg.norm(end))


def off(measured: list[float], exact: list[float]) -> float:
    return float(np.max(np.abs(np.array(measured) / np.array(exact) - 1)))


def _scaled(seed: int) -> Statement:
    measured = [left(CELLS["rnn"](), Initialization(recurrent="orthogonal", gain=factor), seed)[0] for factor in FACTORS]
    exact = [factor**STEPS for factor in FACTORS]
    wrong = off(measured, exact)
    return Statement(
        "When eigenvalues of the recurrent matrix deviate from absolute value 1, gradients vanish or explode; where nothing squashes, s "
        f"times an orthogonal matrix multiplies them by sᵏ: by {listed([number(value) for value in exact])} for s = 0.9, 1 and 1.1 and k = "
        f"{STEPS}.",
        "Arjovsky, Shah and Bengio 2016, abstract; the numbers by calculation",
        f"A tanh network at rest: {listed([number(value) for value in measured])}, to within {number(wrong)} of their size.",
        agrees(wrong < 1e-9),
    )


def _biased(seed: int) -> Statement:
    measured = [left(CELLS["lstm"](), Initialization(forget_bias=bias), seed, wipe=True)[0] for bias in BIASES]
    exact = [float((1 + np.exp(-bias)) ** -STEPS) for bias in BIASES]
    wrong = off(measured, exact)
    return Statement(
        f"With weights of zero an LSTM keeps σ(b)ᵏ of the gradient of its cell state: {listed([number(value) for value in exact])} for "
        f"forget biases {listed([number(bias) for bias in BIASES])} and k = {STEPS}.",
        "by calculation",
        f"{listed([number(value) for value in measured])}, to within {number(wrong)} of their size.",
        agrees(wrong < 1e-9),
    )


def _spread(seed: int, seeds: int) -> Statement:
    """The mean of n uniform draws is off by more than four of its standard deviations once in 16 000 times."""
    draws = [left(CELLS["lstm"](), Initialization(chrono=LONGEST), seed + k, wipe=True)[1] for k in range(seeds)]
    forget = CELLS["lstm"]().blocks.index("forget")
    spans = 1 + np.exp(np.concatenate([bias[forget] for bias in draws]))
    allowed = 4 * (LONGEST - 2) / np.sqrt(12 * len(spans))
    fits = bool(abs(spans.mean() - (1 + LONGEST / 2)) < allowed and spans.min() >= 2 and spans.max() <= LONGEST)
    return Statement(
        f"Chrono biases ln U(1, {LONGEST - 1}) give the cells time constants 1/(1 − f) that are uniform between 2 and {LONGEST} steps, "
        f"with mean {number(1 + LONGEST / 2)}.",
        "Tallec and Ollivier 2018, section 3; the mean by calculation",
        f"{len(spans)} cells: {number(float(spans.min()), 3)} to {number(float(spans.max()), 3)} steps, mean "
        f"{number(float(spans.mean()), 3)}; the mean of so many draws may be off by {number(float(allowed))}.",
        agrees(fits),
    )
