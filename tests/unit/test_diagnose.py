"""gradviz diagnose: verdicts with numbers, and an exit status that says whether something is severe."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.finding_runs import Writer, power


@pytest.fixture
def runs(here: Path) -> Path:
    """Runs whose truth is known: a gradient that grows 1.2-fold a step back, one that fades by 0.5, one that stays."""
    for name, weight, loss in (("explodes", 1.2, 3.0), ("fades", 0.5, 1.0), ("healthy", 0.999, 1.0)):
        family = "lstm" if name == "healthy" else "rnn"
        profile = power(weight)
        Writer(here / name, family=family).steps([1.0] * 40, loss=loss).reach({0: profile, 100: profile}).held_out(loss).run()
    return here


def test_each_is_named_for_what_it_is(gradviz, runs: Path) -> None:
    status, out, _ = gradviz("diagnose", ".")
    assert status == 1
    parts = {part.split(":")[0]: part for part in out.strip().split("\n\n")}
    assert parts["explodes"].startswith("explodes: expl")
    assert "×1.2" in parts["explodes"] or "1.2" in parts["explodes"]
    assert "Try: " in parts["explodes"]
    assert "Source: " in parts["explodes"]
    assert "half-life 1\u202fstep" in parts["fades"]
    assert "✗" not in parts["healthy"]
    assert "!" not in parts["healthy"]
    assert gradviz("diagnose", "healthy")[0] == 0


def test_json_holds_the_numbers(gradviz, runs: Path) -> None:
    status, out, _ = gradviz("diagnose", "explodes", "fades", "--json")
    assert status == 1
    found = {run["run"]: {verdict["code"]: verdict for verdict in run["verdicts"]} for run in json.loads(out)}
    assert found["explodes"]["exploding"]["severity"] == "critical"
    values = [value for value in found["explodes"]["exploding"]["numbers"].values() if isinstance(value, float)]
    assert any(np.isclose(value, 1.2, rtol=1e-6) for value in values)
    assert any(np.isclose(value, 0.5, rtol=1e-6) for value in found["fades"]["vanishing"]["numbers"].values() if isinstance(value, float))


def test_what_cannot_be_diagnosed(gradviz, here: Path) -> None:
    assert gradviz("diagnose", "nowhere")[0] == 2
    (here / "a.txt").write_text("no run")
    assert gradviz("diagnose", "a.txt")[0] == 2
