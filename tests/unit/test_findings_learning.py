"""Weights that stand still, or are thrown about: ratios of updates to weights known in closed form."""

from pathlib import Path

import numpy as np
import pytest

from gradviz.findings import FINDINGS, Verdict
from gradviz.findings._learning import falling, medians, ratios
from tests.finding_runs import Writer, power

NAME = "layers.0.forward.weight_hh"


def said(rule: str, writer: Writer) -> Verdict:
    return FINDINGS[rule]().check(writer.run())


def moving(folder: Path, ratio: float, *, loss: float = 9.0, baseline: float = 2.2, explodes: bool = False, fall: float = 0.0) -> Writer:
    """A matrix of norm 4 whose early updates are as usual and whose later ones are `ratio` of it; one of usual pace beside it."""
    losses = loss + fall * np.linspace(1, 0, 200) + 0.01 * np.tile([1, -1], 100)
    writer = Writer(folder, baselines={"pairs": baseline}).steps(np.ones(200), loss=losses).held_out(loss)
    writer.parameters(NAME, [4.0] * 20, [4e-3] * 10 + [4 * ratio] * 10)
    writer.parameters("readout.weight", [2.0] * 20, [2e-3] * 20)
    return writer.reach({0: power(1.2 if explodes else 0.9), 200: power(0.9)})


@pytest.mark.parametrize(
    ("ratio", "loss", "severity", "word"),
    [
        (1e-3, 9.0, "good", "moving"),
        (1.1e-5, 9.0, "good", "moving"),
        (0.9e-5, 9.0, "warning", "dying"),
        (0.0, 9.0, "warning", "dying"),
        (0.9e-5, 1.0, "note", "at rest"),
    ],
)
def test_slow_learning_at_its_threshold(tmp_path: Path, ratio: float, loss: float, severity: str, word: str) -> None:
    verdict = said("slow_learning", moving(tmp_path / "run", ratio, loss=loss))
    assert (verdict.severity, verdict.word) == (severity, word)
    assert verdict.numbers["slowest"] == pytest.approx(ratio)
    assert verdict.numbers["ratio readout.weight"] == pytest.approx(1e-3)
    assert NAME in verdict.summary or ratio == 1e-3


def test_a_network_that_stops_while_its_loss_still_falls(tmp_path: Path) -> None:
    verdict = said("slow_learning", moving(tmp_path / "run", 1e-6, loss=1.0, fall=1.0))
    assert (verdict.severity, "still falls" in verdict.summary) == ("warning", True)


def test_what_an_explosion_explains_is_a_note(tmp_path: Path) -> None:
    for rule, ratio in (("slow_learning", 1e-6), ("unstable_learning", 0.5)):
        assert said(rule, moving(tmp_path / rule, ratio, explodes=True)).severity == "note"


@pytest.mark.parametrize(("ratio", "severity"), [(0.09, "good"), (0.11, "warning"), (3.0, "warning")])
def test_unstable_learning_at_its_threshold(tmp_path: Path, ratio: float, severity: str) -> None:
    verdict = said("unstable_learning", moving(tmp_path / "run", ratio, loss=1.0))
    assert verdict.severity == severity
    assert verdict.numbers["fastest"] == pytest.approx(ratio)


@pytest.mark.parametrize("rule", ["slow_learning", "unstable_learning"])
def test_biases_and_what_began_at_zero_raise_no_alarm(tmp_path: Path, rule: str) -> None:
    writer = moving(tmp_path / "run", 1e-3)
    writer.parameters("layers.0.forward.bias", [0.0] + [1e-6] * 19, [1.0] * 20)
    writer.parameters("layers.0.forward.peephole", [1.0] * 20, [0.0] * 20)
    writer.parameters("layers.1.forward.weight_ih", [0.0] * 10 + [1e-3] * 10, [1.0] * 20)
    verdict = said(rule, writer)
    assert verdict.severity == "good"
    assert {name for name in verdict.numbers if name.startswith("ratio")} == {f"ratio {NAME}", "ratio readout.weight"}


def test_gates_are_put_together(tmp_path: Path) -> None:
    """Gates of norms 3 and 4 are a matrix of norm 5; updates 0.3 and 0.4 are 0.5."""
    writer = Writer(tmp_path / "run").parameters(NAME, [3.0] * 20, [0.3] * 20, "input").parameters(NAME, [4.0] * 20, [0.4] * 20, "forget")
    rows = ratios(writer.run())
    assert rows["weight"].tolist() == pytest.approx([5.0] * 10)
    assert medians(rows) == pytest.approx({NAME: 0.1})
    assert rows["step"].min() == 100


def test_extremes_of_a_float(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run").parameters(NAME, [1e200] * 20, [1e194] * 20)
    writer.parameters("readout.weight", [np.nan] * 10 + [np.inf] * 10, [1.0] * 20)
    assert medians(ratios(writer.run())) == pytest.approx({NAME: 1e-6})


@pytest.mark.parametrize("rule", ["slow_learning", "unstable_learning"])
def test_a_few_rows_are_not_enough(tmp_path: Path, rule: str) -> None:
    assert said(rule, Writer(tmp_path / "few").parameters(NAME, [1.0] * 8, [1.0] * 8)).severity == "none"
    assert said(rule, Writer(tmp_path / "none")).severity == "none"


def test_whether_a_loss_still_falls(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 200)
    for name, slope, expected in (("flat", 0.0, False), ("rises", 1.0, False), ("falls", -1.0, True)):
        run = Writer(tmp_path / name).steps(np.ones(200), loss=5 + slope * np.linspace(0, 1, 200) + noise).run()
        assert falling(run) is expected
    assert not falling(Writer(tmp_path / "nan").steps(np.ones(200), loss=np.full(200, np.nan)).run())
