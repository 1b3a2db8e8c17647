"""What every entry of gradviz.findings must do, whatever it looks for."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gradviz.findings import FINDINGS, ORDER
from gradviz.frames import Run
from tests.finding_runs import Writer, power

TABLES = ["steps", "held_out", "reach", "saturation", "parameters", "trouble"]
BAD = [np.nan, np.inf, -np.inf, 0.0]


def poor(folder: Path, kind: str) -> Run:
    """Runs that lack things."""
    writer = Writer(folder, "lstm", "norm", lag=75, baselines={"constant": 1 / 6})
    if kind == "one step":
        writer.steps([1.0]).reach({0: power(0.9)}).held_out(1.0)
    if kind == "not finite":
        writer.steps(BAD * 20, BAD * 20, loss=BAD * 20).saturation("gate.forget", [np.nan] * 3, [np.nan] * 3).trouble().held_out(np.nan)
        writer.reach({step: np.full(100, value) for step, value in enumerate(BAD)})
        writer.parameters("layers.0.forward.weight_hh", BAD * 5, BAD * 5).saturation("hidden", [np.nan] * 3, [0.0] * 3)
    if kind == "relu":
        writer.out.update(family="rnn", experiment={"model": {"cell": {"name": "rnn", "activation": "relu"}}})
        writer.saturation("hidden", [np.nan, 0.0], [0.0, np.inf]).parameters("layers.0.forward.weight_hh", [0.0] * 20, [np.inf] * 20)
    if kind == "empty lists":
        writer.saturation("gate.forget", [], []).reach({0: np.zeros(0), 9: np.zeros(0)})
    if kind == "trouble only":
        writer.trouble()
    if kind == "reach only":
        writer.reach({0: power(2.0), 9: power(0.5)})
    if kind == "another family":
        writer.out.update(family="unheard of", experiment={}, baselines={"nothing": float("nan")}, lag=5)
        writer.steps([1.0] * 50, [0.5] * 50).saturation("strange", [1.0], [0.0]).reach({0: power(0.9), 9: power(0.9)}, point="strange")
    return writer.run()


KINDS = ["nothing", "one step", "not finite", "empty lists", "trouble only", "reach only", "relu", "another family"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FINDINGS.names())
def test_never_fails_for_what_a_run_lacks(name: str, kind: str, tmp_path: Path) -> None:
    verdict = FINDINGS[name]().check(poor(tmp_path / "run", kind))
    assert verdict.code == name
    assert verdict.severity in ORDER
    assert 0 < len(verdict.word) <= 14
    assert verdict.summary.endswith(".")
    assert isinstance(verdict.rows, pd.DataFrame)
    assert all(isinstance(value, float) for value in verdict.numbers.values())


@pytest.mark.parametrize("name", FINDINGS.names())
def test_says_none_of_a_run_without_rows(name: str, tmp_path: Path) -> None:
    assert FINDINGS[name]().check(poor(tmp_path / "run", "nothing")).severity == "none"


@pytest.mark.parametrize("name", FINDINGS.names())
def test_does_not_change_what_it_reads(name: str, tmp_path: Path) -> None:
    run = poor(tmp_path / "run", "not finite")
    before = {table: run.table(table) for table in TABLES}
    FINDINGS[name]().check(run)
    for table in TABLES:
        pd.testing.assert_frame_equal(run.table(table), before[table])


@pytest.mark.parametrize("name", FINDINGS.names())
def test_states_its_rule(name: str) -> None:
    finding = FINDINGS[name]
    for text in (finding.title, finding.meaning, finding.remedy, finding.source, finding.chart, finding.rule):
        assert text
        assert text == inspect.cleandoc(text)
        assert "  " not in text
    assert any(character.isdigit() for character in finding.rule) or name == "non_finite"


def test_ranks_differ() -> None:
    ranks = [FINDINGS[name].rank for name in FINDINGS]
    assert len(set(ranks)) == len(ranks)
