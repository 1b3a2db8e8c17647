"""The rules for closed highways, transient growth and the start of a training, on runs whose truth is known in closed form."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.findings import FINDINGS, Verdict
from gradviz.findings._summary import headline
from gradviz.frames import Run
from gradviz.initializers import orthogonal
from tests.finding_runs import Writer, power

RNG = np.random.default_rng
BASELINE = {"constant": 1 / 6}


def check(name: str, run: Run) -> Verdict:
    return FINDINGS[name]().check(run)


def gates(writer: Writer, gate: np.ndarray, point: str = "gate.forget", layer: int = 0, step: int = 100) -> Writer:
    """A probe of one gate, (time, unit)."""
    row: dict[str, Any] = {"step": step, "layer": layer, "direction": "forward", "point": point, "example": 0, "gradient": False}
    writer.out.append("probe", {**row, "units": gate.shape[1], "values": gate.ravel()})
    return writer


def constant(*values: float, length: int = 150) -> np.ndarray:
    return np.tile(np.asarray(values), (length, 1))


# ------------------------------------------------------------------ closed highway


@pytest.mark.parametrize(("share", "word"), [(1.1e-3, "open"), (0.9e-3, "closed")])
@pytest.mark.parametrize(("family", "point"), [("lstm", "gate.forget"), ("gru", "gate.update")])
def test_the_product_of_the_gates_over_the_lag_decides(tmp_path: Path, family: str, point: str, share: float, word: str) -> None:
    writer = Writer(tmp_path / "run", family, lag=75, baselines=BASELINE).held_out(1.0).steps([1.0])
    verdict = check("closed_highway", gates(writer, constant(share ** (1 / 75), 0.1), point).run())
    assert verdict.word == word
    assert verdict.severity == ("critical" if word == "closed" else "good")
    assert verdict.numbers["log10_best_tenth"] == pytest.approx(math.log10(share))
    assert verdict.numbers["share_open"] == (0.5 if word == "open" else 0.0)


def test_the_best_tenth_is_counted_in_units(tmp_path: Path) -> None:
    """Of 20 units two must be open: one is not enough."""
    one = gates(Writer(tmp_path / "one", "lstm", lag=75), constant(1.0, *[0.5] * 19)).run()
    two = gates(Writer(tmp_path / "two", "lstm", lag=75), constant(1.0, 1.0, *[0.5] * 18)).run()
    assert (check("closed_highway", one).word, check("closed_highway", two).word) == ("closed", "open")


def test_gates_count_step_by_step_and_not_by_their_mean(tmp_path: Path) -> None:
    """Half open at 1 and half shut at 0.01: the mean, 0.505, would pass 10⁻³⁰ of what the product does not."""
    alternating = np.where(np.arange(100)[:, None] % 2 == 0, 1.0, 0.01)
    verdict = check("closed_highway", gates(Writer(tmp_path / "run", "lstm", lag=10), alternating).run())
    assert verdict.numbers["log10_best_tenth"] == pytest.approx(-10)


@pytest.mark.parametrize(
    ("lag", "loss", "reaches", "severity"),
    [
        (75, 1.0, False, "critical"),
        (75, 0.01, False, "warning"),
        (None, 1.0, False, "warning"),
        (None, 0.01, False, "note"),
        (75, 1.0, True, "note"),
        (None, 1.0, True, "note"),
    ],
)
def test_how_bad_a_closed_highway_is(tmp_path: Path, lag: int | None, loss: float, reaches: bool, severity: str) -> None:
    writer = Writer(tmp_path / "run", "gru", lag=lag, baselines=BASELINE).held_out(loss).steps([1.0])
    writer.reach({0: power(0.9, 150), 100: power(0.99 if reaches else 0.5, 150)})
    verdict = check("closed_highway", gates(writer, constant(0.5, 0.5), "gate.update").run())
    assert (verdict.severity, verdict.word) == (severity, "closed")


def test_a_remark_on_gates_does_not_take_the_place_of_praise(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", "gru", lag=75, baselines=BASELINE).held_out(0.01).steps([1.0])
    run = gates(writer.reach({0: power(0.99, 150), 100: power(0.99, 150)}), constant(0.5), "gate.update").run()
    assert check("closed_highway", run).severity == "note"
    assert headline(run).word == "reaches back"


def test_one_open_layer_is_enough(tmp_path: Path) -> None:
    writer = gates(Writer(tmp_path / "run", "lstm", lag=75), constant(0.5))
    assert check("closed_highway", gates(writer, constant(1.0), layer=1).run()).word == "open"
    apart = gates(Writer(tmp_path / "apart", "lstm", lag=75, parts=[["encoder", 1], ["decoder", 1]]), constant(0.5))
    assert check("closed_highway", gates(apart, constant(1.0), layer=1).run()).word == "closed"


def test_without_arrays_the_mean_gate_is_an_upper_bound(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", "lstm", lag=75).saturation("gate.forget", [0.0] * 2, [0.0] * 2)  # their means are 0 as well
    assert check("closed_highway", writer.run()).severity == "none"
    writer = Writer(tmp_path / "more", "lstm", lag=75).saturation("gate.forget", [0.0] * 2, [0.5] * 2)
    row = {"step": 100, "layer": 0, "direction": "forward", "point": "gate.forget", "quantity": "gate_mean"}
    writer.out.append("timesteps", row | dict.fromkeys(("mean", "low", "median", "high"), np.full(150, 0.5)))
    verdict = check("closed_highway", writer.run())
    assert verdict.word == "closed"
    assert verdict.numbers["log10_best_tenth"] == pytest.approx(75 * math.log10(0.5))
    assert "at most" in verdict.summary


def test_where_closed_gates_are_no_question(tmp_path: Path) -> None:
    assert check("closed_highway", Writer(tmp_path / "rnn", "rnn").run()).word == "no such gate"
    start = gates(Writer(tmp_path / "start", "lstm", lag=75), constant(0.5), step=0).run()
    assert check("closed_highway", start).word == "untrained"


# ------------------------------------------------------------------ transient growth


def plain(folder: Path, matrix: np.ndarray, profile: np.ndarray) -> Run:
    writer = Writer(folder).reach({0: power(0.9), 100: profile})
    writer.out.save_weights({"layers.0.forward.weight_hh": matrix[None]})
    return writer.run()


JORDAN = np.array([[0.5, 10.0], [0.0, 0.5]])


def hump(matrix: np.ndarray) -> np.ndarray:
    """The reach of a linear network from a gradient on the first unit."""
    return np.array([math.log10(np.linalg.norm(np.array([1.0, 0.0]) @ np.linalg.matrix_power(matrix, k))) for k in range(60)])


def test_a_gradient_that_grows_first_although_every_eigenvalue_is_one_half(tmp_path: Path) -> None:
    verdict = check("transient_growth", plain(tmp_path / "run", JORDAN, hump(JORDAN)))
    assert (verdict.severity, verdict.word) == ("warning", "grows first")
    numbers = verdict.numbers
    assert (numbers["radius"], numbers["departure_from_normality"]) == pytest.approx((0.5, 10.0))
    assert numbers["largest_growth"] == pytest.approx((10 + math.sqrt(101)) / 2)
    assert numbers["largest_singular_value"] == pytest.approx(numbers["largest_growth"])
    assert (numbers["lag_of_largest_growth"], numbers["lag_of_peak"]) == (1, 1)


def test_a_normal_matrix_of_the_same_radius_does_not(tmp_path: Path) -> None:
    matrix = 0.5 * np.eye(2)
    verdict = check("transient_growth", plain(tmp_path / "run", matrix, hump(matrix)))
    assert (verdict.severity, verdict.word) == ("good", "no hump")
    assert verdict.numbers["departure_from_normality"] == pytest.approx(0, abs=1e-9)


def test_a_matrix_that_could_grow_is_a_note(tmp_path: Path) -> None:
    verdict = check("transient_growth", plain(tmp_path / "run", JORDAN, power(0.5)))
    assert (verdict.severity, verdict.word) == ("note", "not normal")


def test_a_gradient_that_does_not_fall_again_has_no_hump(tmp_path: Path) -> None:
    """It explodes, or stays large, which is another rule's to say."""
    assert check("transient_growth", plain(tmp_path / "run", 0.5 * np.eye(2), power(1.05))).word == "no hump"


def test_where_growth_is_not_transient_or_not_known(tmp_path: Path) -> None:
    assert check("transient_growth", plain(tmp_path / "one", np.eye(3), power(1.0))).word == "radius over 1"
    assert check("transient_growth", plain(tmp_path / "nan", np.full((2, 2), np.nan), power(0.5))).word == "not finite"
    assert check("transient_growth", plain(tmp_path / "wide", np.eye(257), power(0.5))).word == "large"
    assert check("transient_growth", Writer(tmp_path / "none").reach({0: power(0.5)}).run()).word == "no data"
    assert check("transient_growth", Writer(tmp_path / "lstm", "lstm").run()).word == "no plain RNN"


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_orthogonal_network_is_not_accused(tmp_path: Path, seed: int) -> None:
    matrix = 0.98 * orthogonal((32, 32), RNG(seed)) + 0.003 * RNG(seed).standard_normal((32, 32))
    verdict = check("transient_growth", plain(tmp_path / "run", matrix, power(0.98)))
    assert verdict.severity in ("good", "none")


# ------------------------------------------------------------------ the start


def started(folder: Path, weight: float, family: str = "lstm", lag: int | None = 75, loss: float = 1.0, gain: float = 1.0) -> Run:
    writer = Writer(folder, family, lag=lag, baselines=BASELINE).held_out(loss).steps([1.0])
    writer.out.meta["experiment"]["model"]["initialization"] = {"gain": gain}
    return writer.reach({0: power(weight, 150), 100: power(0.9, 150)}, "cell" if family == "lstm" else "hidden").run()


@pytest.mark.parametrize(
    ("share", "severity"), [(1.1e-3, "good"), (0.9e-3, "warning"), (1.0, "good"), (900.0, "good"), (1100.0, "warning")]
)
def test_what_is_left_decides_at_the_lag_where_it_fades_at_the_end_where_it_grows(tmp_path: Path, share: float, severity: str) -> None:
    distance = 149 if share > 1 else 75
    verdict = check("initialization", started(tmp_path / "run", share ** (1 / distance)))
    assert verdict.severity == severity
    assert verdict.numbers["log10_left"] == pytest.approx(math.log10(share), abs=1e-9)


def test_chrono_is_suggested_with_its_biases(tmp_path: Path) -> None:
    """Oracle 17: for T = 100 biases up to ln 99 and memories of 51 steps on average."""
    verdict = check("initialization", started(tmp_path / "run", 0.5, lag=100))
    assert verdict.numbers["chrono"] == 100
    assert verdict.numbers["mean_memory"] == 51
    assert verdict.numbers["forget_bias_high"] == pytest.approx(math.log(99))
    assert "chrono 100" in verdict.summary
    assert "0 to 4.60" in verdict.summary
    forget = 1 / (1 + math.exp(-verdict.numbers["forget_bias_high"]))
    assert 1 / (1 - forget) == pytest.approx(100)  # the longest memory is the lag


def test_a_plain_network_is_told_its_gain(tmp_path: Path) -> None:
    verdict = check("initialization", started(tmp_path / "run", 0.8, "rnn", gain=0.9))
    assert verdict.severity == "warning"
    assert verdict.numbers["gain"] == pytest.approx(0.9 / 0.8)
    assert check("initialization", started(tmp_path / "up", 1.2, "lstm", gain=1.5)).numbers["gain"] == pytest.approx(1.25)


def test_without_a_lag_half_of_the_sequence_counts_and_it_is_a_note(tmp_path: Path) -> None:
    verdict = check("initialization", started(tmp_path / "run", 0.9, lag=None))
    assert (verdict.severity, verdict.numbers["distance"]) == ("note", 75)


def test_who_learned_was_not_hindered(tmp_path: Path) -> None:
    assert check("initialization", started(tmp_path / "run", 0.5, loss=0.01)).word == "overcome"


def test_a_gradient_that_reaches_back_by_now_has_overcome_its_start(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", "rnn", lag=75)
    assert check("initialization", writer.reach({0: power(0.5), 9: power(0.99)}).run()).word == "overcome"


def test_a_first_picture_is_no_verdict(tmp_path: Path) -> None:
    verdict = check("initialization", Writer(tmp_path / "run", "lstm", lag=75).reach({0: power(0.5)}).run())
    assert (verdict.severity, verdict.word) == ("none", "untrained")
    assert "chrono 75" in verdict.summary


def test_an_exact_zero_is_far_off(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", "rnn", lag=75).reach({0: power(0.0), 9: power(0.9)})
    verdict = check("initialization", writer.run())
    assert (verdict.severity, verdict.numbers["log10_left"]) == ("warning", -math.inf)
