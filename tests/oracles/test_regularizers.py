"""Ω and its gradient: against exact Jacobians, the backward step with other weights, the authors' formula, and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.dynamics.jacobians import follow, step_jacobians
from gradviz.errors import GradvizError
from gradviz.frames import load
from gradviz.initializers import orthogonal
from gradviz.network import Network
from gradviz.passes import Learned
from gradviz.penalty import flow, flow_kept, penalty
from gradviz.regularizers import REGULARIZERS, Regularizer
from gradviz.tasks import TASKS
from gradviz.training import train

RNG = np.random.default_rng
FORMS = ("plain", "squared", "averaged")
ALL_CELLS = [(cell, "tanh") for cell in CELLS] + [("rnn", "relu")]
SQUARED = Signature(2, 3, False, "squared")


def omega(form: str = "averaged", **options: float) -> Regularizer:
    return REGULARIZERS["norm_preservation"](form=form, **options)


def made(cell: str, activation: str = "tanh", **options: object) -> Network:
    options |= {"cell": CELLS[cell](activation=activation) if cell == "rnn" else CELLS[cell]()}
    network = Network(Model(**{"units": 4, **options}), SQUARED, dtype="float64")  # type: ignore[arg-type]
    for array in network.parameters.values():
        array += 0.3 * RNG(1).standard_normal(array.shape)
    return network


def given(size: int = 3, steps: int = 5, lengths: list[int] | None = None) -> Batch:
    rng = RNG(2)
    return Batch(
        rng.standard_normal((steps, size, 2)), rng.standard_normal((steps, size, 3)), None if lengths is None else np.array(lengths)
    )


def learn(network: Network, batch: Batch) -> Learned:
    with flow_kept(network):
        return network.learn(batch, reduction="sum")


def ratios(network: Network, batch: Batch, learned: Learned, example: int) -> np.ndarray:
    """r_t of one example and one layer, from the Jacobians of the forward step alone."""
    (tape,) = learned.run.tapes.values()
    steps = len(batch.inputs) if batch.lengths is None else int(batch.lengths[example])
    path = follow(network, batch.inputs[:steps, example])
    order = [t for t in tape.order if t < steps]
    arriving = [tape.sequence.d_after[0], *tape.through[1:]]  # type: ignore[index]
    found = []
    for jacobian, t in zip(step_jacobians(path), order, strict=True):
        v = np.concatenate([array[t, example] for array in arriving])
        found.append(np.linalg.norm(v @ jacobian) / np.linalg.norm(v))
    return np.array(found)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize(("cell", "activation"), ALL_CELLS)
@pytest.mark.parametrize("lengths", [None, [5, 2, 4]])
def test_the_penalty_is_that_of_the_exact_jacobians(cell: str, activation: str, direction: str, lengths: list[int] | None) -> None:
    network, batch = made(cell, activation, direction=direction), given(lengths=lengths)
    learned = learn(network, batch)
    r = [ratios(network, batch, learned, example) for example in range(3)]
    expected = {
        "plain": sum(((one - 1) ** 2).sum() for one in r) / 3,
        "squared": sum(((one**2 - 1) ** 2).sum() for one in r) / 3,
        "averaged": ((np.concatenate(r) ** 2 - 1) ** 2).mean(),
    }
    for form in FORMS:
        assert penalty(learned, omega(form))[0] == pytest.approx(expected[form], rel=1e-10)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("cell", "activation"), ALL_CELLS)
def test_its_gradient_is_that_of_a_backward_step_with_other_weights(cell: str, activation: str, form: str) -> None:
    """Everything but the weights in the backward products is held: exactly what immediate means."""
    network, batch = made(cell, activation), given(lengths=[5, 3, 4])
    learned = learn(network, batch)
    _, gradients = penalty(learned, omega(form))
    ((name, tape),) = learned.run.tapes.items()
    arriving, _ = flow(tape)
    counts = ~tape.padding[..., 0]  # type: ignore[index]
    key = f"{name}.weight_hh"

    def price(weight_hh: np.ndarray) -> float:
        own = {part.removeprefix(f"{name}."): array for part, array in network.parameters.items() if part.startswith(name)}
        weights, leaving = network.model.cell.prepare({**own, "weight_hh": weight_hh}), [np.zeros_like(array) for array in arriving]
        for t in range(5):
            step = tape.whole.steps[t]
            carry = tuple(array[t].copy() for array in arriving)
            step.d_after[0][...] = arriving[0][t]
            network.model.cell.back(weights, step, carry)
            for place, array in enumerate(carry):
                leaving[place][t] = array
        v, w = (sum((part**2).sum(axis=2) for part in parts) for parts in (arriving, leaving))
        return omega(form).price(v, w, counts)[0]  # type: ignore[arg-type]

    arriving = [array.copy() for array in arriving]
    base, found = network.parameters[key], gradients[key]
    for place in [(0, 0, 1), (0, 3, 2), (len(base) - 1, 1, 1), (len(base) - 1, 2, 0)]:
        change = np.zeros_like(base)
        change[place] = 1e-6
        slope = (price(base + change) - price(base - change)) / 2e-6
        assert found[place] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert np.abs(found).max() > 1e-3


def test_the_averaged_form_is_that_of_the_authors_program() -> None:
    """trainingRNNs, RNN.py: tmp_x, tmp_y, n_elems; bound 1e-20 on the squared norm. Written out, one step and example at a time."""
    network, batch = made("rnn"), given()
    learned = learn(network, batch)
    (tape,) = learned.run.tapes.values()
    u, h, d_h = network.parameters["layers.0.forward.weight_hh"][0], tape.values("hidden"), tape.gradients("hidden")
    bound = float(np.sort((d_h**2).sum(axis=2).ravel())[4])  # so that some do not count
    terms, gradient, counted = 0.0, np.zeros_like(u), 0
    for t in range(5):
        for b in range(3):
            y = float((d_h[t, b] ** 2).sum())
            if y >= bound:
                delta = d_h[t, b] * (1 - h[t, b] ** 2)
                w = u @ delta
                x = float((w**2).sum())
                terms, counted = terms + (x / y - 1) ** 2, counted + 1
                gradient += 4 * (x / y - 1) / y * np.outer(w, delta)
    value, found = penalty(learned, omega(least=bound, strength=2.0))
    assert counted == 11
    assert value == pytest.approx(terms / counted, rel=1e-12)
    np.testing.assert_allclose(found["layers.0.forward.weight_hh"][0], 2 * gradient / counted, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(0.9, {"plain": 0.5, "squared": 1.805, "averaged": 0.0361}), (1.0, dict.fromkeys(FORMS, 0.0))],
)
def test_a_scaled_orthogonal_network_at_rest_has_a_penalty_in_closed_form(scale: float, expected: dict[str, float]) -> None:
    network = Network(Model(cell=CELLS["rnn"](), units=6), Signature(1, 1, False, "squared", at="last"), dtype="float64")
    for name, array in network.parameters.items():
        array[...] = 0 if name != "readout.weight" else RNG(0).standard_normal(array.shape)
    network.parameters["layers.0.forward.weight_hh"][0] = scale * orthogonal((6, 6), RNG(1))
    learned = learn(network, Batch(np.zeros((50, 2, 1)), np.ones((2, 1))))
    for form in FORMS:
        assert penalty(learned, omega(form))[0] == pytest.approx(expected[form], rel=1e-9, abs=1e-20)


def test_layers_directions_and_both_parts_of_an_encoder_decoder_add_up() -> None:
    network, batch = made("lstm", layers=2, direction="both"), given()
    value, gradients = penalty(learn(network, batch), omega())
    assert sorted(gradients) == [f"layers.{layer}.{way}.weight_hh" for layer in (0, 1) for way in ("backward", "forward")]
    assert value > 0
    data = TASKS["numbers"]().open(0)
    both = Network(Model(units=5), data.signature, dtype="float64")
    assert len(penalty(learn(both, data.batch(4, RNG(0))), omega())[1]) == 2


def test_gradients_that_are_zero_or_no_numbers_are_told_apart() -> None:
    rule, counts = omega("squared", least=0.0), np.ones((3, 1), bool)
    value, slope = rule.price(np.array([[0.0], [1.0], [4.0]]), np.array([[0.0], [0.0], [4.0]]), counts)
    assert value == 1.0
    np.testing.assert_array_equal(slope[:, 0], [0, -2, 0])
    assert np.isnan(rule.price(np.array([[1.0], [np.nan], [1.0]]), np.ones((3, 1)), counts)[0])
    assert omega("plain").price(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1), bool))[1][0, 0] == 0


def test_training_with_it_holds_the_norm_and_is_recorded(tmp_path) -> None:
    task = TASKS["adding"](length=30)

    def end(regularizer: Regularizer, name: str):
        training = Training(updates=60, batch=16, regularizer=regularizer, optimizer=replace(Training().optimizer, rate=0.003))
        model = Model(cell=CELLS["rnn"](), units=12, initialization=replace(Model().initialization, gain=0.6))
        return load(train(Experiment(task, model, training, Recording(every=20, reach_every=60, held_out=16)), tmp_path / name))

    free, held = end(REGULARIZERS["none"](), "free"), end(omega(strength=2.0), "held")
    assert free.steps["penalty"].isna().all()
    prices = held.steps["penalty"].to_numpy()
    assert prices[-5:].mean() < 0.3 * prices[:5].mean()
    decay = {run.name: run.table("reach").query("point == 'hidden'")["decay"].iloc[-1] for run in (free, held)}
    assert abs(decay["held"] - 1) < 0.5 * abs(decay["free"] - 1)


def test_what_does_not_go_with_it_is_said() -> None:
    with pytest.raises(GradvizError, match="truncation 5 cuts the gradient that the regularizer looks at"):
        Training(regularizer=omega(), truncation=5)
    with pytest.raises(GradvizError, match="averaged, plain, squared"):
        omega("cubed")
