"""The LSTM with peepholes against its equations, written out as a plain loop over single units."""

import math

import numpy as np

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

STEPS, SIZE, INPUTS, UNITS, OUTPUTS = 5, 3, 2, 4, 2
PART = "layers.0.forward."


def network(cell: str = "lstm_peephole") -> Network:
    made = Network(Model(cell=CELLS[cell](), units=UNITS), Signature(INPUTS, OUTPUTS, False, "squared"), dtype="float64")
    rng = np.random.default_rng(1)
    for name in sorted(made.parameters):
        made.parameters[name][...] = rng.normal(0, 0.8, made.parameters[name].shape)
    return made


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def loop(made: Network, inputs: np.ndarray) -> np.ndarray:
    """Hidden states of one sequence (time, input), one unit after the other."""
    weight, blocks = made.parameters, made.model.cell.blocks
    h, c, states = [0.0] * UNITS, [0.0] * UNITS, []
    for x in inputs:
        new_h, new_c = [], []
        for unit in range(UNITS):
            pre = {}
            for k, block in enumerate(blocks):
                pre[block] = weight[PART + "bias"][k, unit]
                pre[block] += sum(x[n] * weight[PART + "weight_ih"][k, n, unit] for n in range(INPUTS))
                pre[block] += sum(h[n] * weight[PART + "weight_hh"][k, n, unit] for n in range(UNITS))
            p = {block: weight[PART + "peephole"][blocks.index(block), unit] for block in ("input", "forget", "output")}
            i = sigmoid(pre["input"] + p["input"] * c[unit])
            f = sigmoid(pre["forget"] + p["forget"] * c[unit])
            cell = f * c[unit] + i * math.tanh(pre["candidate"])
            o = sigmoid(pre["output"] + p["output"] * cell)
            new_c.append(cell)
            new_h.append(o * math.tanh(cell))
        h, c = new_h, new_c
        states.append(h)
    return np.array(states)


def loss(made: Network, batch: Batch) -> float:
    """Squared error, mean over steps and batch, from the plain loop alone."""
    hidden = np.stack([loop(made, batch.inputs[:, b]) for b in range(SIZE)], axis=1)
    outputs = hidden @ made.parameters["readout.weight"] + made.parameters["readout.bias"]
    return float(((outputs - batch.targets) ** 2).sum() / (STEPS * SIZE))


def batch() -> Batch:
    rng = np.random.default_rng(2)
    return Batch(rng.normal(size=(STEPS, SIZE, INPUTS)), rng.normal(size=(STEPS, SIZE, OUTPUTS)))


def test_states_are_those_of_the_equations() -> None:
    made, given = network(), batch()
    hidden = made.forward(given.inputs).tapes["layers.0.forward"].values("hidden")
    for b in range(SIZE):
        np.testing.assert_allclose(hidden[:, b], loop(made, given.inputs[:, b]), rtol=1e-12, atol=1e-14)


def test_gradients_are_those_of_the_equations() -> None:
    made, given = network(), batch()
    run = made.forward(given.inputs)
    gradients = made.backward(run, made.loss(run, given).d_outputs).parameters
    for name in ("peephole", "weight_hh", "bias"):
        array, gradient = made.parameters[PART + name], gradients[PART + name]
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 12)]:
            kept, around = array[place], []
            for change in (1e-5, -1e-5):
                array[place] = kept + change
                around.append(loss(made, given))
            array[place] = kept
            np.testing.assert_allclose(gradient[place], (around[0] - around[1]) / 2e-5, rtol=1e-7, atol=1e-9)


def test_without_peepholes_it_is_the_lstm() -> None:
    made, plain, given = network(), network("lstm"), batch()
    for name, array in plain.parameters.items():
        array[...] = made.parameters[name]
    assert not np.allclose(made.forward(given.inputs).outputs, plain.forward(given.inputs).outputs)
    made.parameters[PART + "peephole"][...] = 0
    np.testing.assert_allclose(made.forward(given.inputs).outputs, plain.forward(given.inputs).outputs, rtol=1e-13)
