"""What keeps pictures and reports fast: nothing is worked out twice, and nothing is read or sent that is not shown. No seconds here."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gradviz.backends import plotly
from gradviz.backends._labels import HEIGHT, Wish, sample, settle
from gradviz.backends._text import width
from gradviz.charts import CHARTS
from gradviz.charts._description import Axis, Band, Description, Line, Mark, Panel, Points
from gradviz.charts.film import MOST
from gradviz.findings import FINDINGS, verdicts
from gradviz.findings._learning import ratios
from gradviz.findings._summary import headline, row
from gradviz.frames import Run, _rows, load, load_runs
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import is_list
from gradviz.recording.store import RunWriter
from gradviz.reports import report
from tests.synthetic import Variant, make_run

MILLION = 1_000_000


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    folders = [make_run(tmp_path / name, clipped=clipped, steps=40) for name, clipped in (("free", False), ("held", True))]
    return [load(folder) for folder in folders]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs that a rule looked at, one entry for each time."""
    rule, seen = FINDINGS["exploding"], []
    original = rule.check

    def check(self: Any, run: Run) -> Any:
        seen.append(run.name)
        return original(self, run)

    monkeypatch.setattr(rule, "check", check)
    return seen


def test_pictures_and_tables_work_verdicts_out_once_a_run(runs: list[Run], checked: list[str]) -> None:
    for run in runs:
        assert row(run)["word"] == headline(run).word
        assert verdicts(run)
    CHARTS["status"]().describe(runs)
    CHARTS["status"]().describe(load_runs(runs[0].path.parent))
    assert checked == ["free", "held"]


def test_verdicts_are_worked_out_again_when_a_run_grows_or_is_told_otherwise(runs: list[Run], checked: list[str]) -> None:
    before = verdicts(runs[0])
    before[0].numbers["mine"] = 1.0
    assert "mine" not in verdicts(runs[0])[0].numbers, "what a caller does to a verdict stays with the caller"
    assert checked == ["free"]
    with RunWriter.open(runs[0].path) as writer:
        writer.append("trouble", {"step": 3, "layer": 0, "direction": "forward", "point": "hidden", "gradient": False, "time": 1,
                                  "example": 0, "unit": 0, "value": "nan"})  # fmt: skip
        writer.finish("finished")
    assert {verdict.code: verdict.severity for verdict in verdicts(runs[0])}["non_finite"] == "critical"
    assert checked == ["free"] * 2
    verdicts(Run(runs[0].path, {**runs[0].meta, "lag": 5}, runs[0].label))
    assert checked == ["free"] * 3


# ---------------------------------------------------------------------- rows of large tables


@pytest.mark.parametrize("name", ["probe", "timesteps", "steps"])
def test_single_rows_are_those_of_the_whole_table(tmp_path: Path, name: str) -> None:
    run = load(make_run(tmp_path / "run", "lstm", steps=60))
    with RunWriter.open(run.path) as writer:  # a second segment
        for old in run.table(name).iloc[-3:].to_dict("records"):
            writer.append(name, {**old, "step": 999})
        writer.finish("finished")
    assert (run.facts(name)["step"] == 999).sum() == 3
    whole, facts = run.table(name), run.facts(name)
    lists = [item.name for item in TABLES[name] if is_list(item)]
    pd.testing.assert_frame_equal(facts, whole.drop(columns=lists))
    wanted = [len(whole) - 1, 0, len(whole) // 2, 0]
    found = run.rows(name, wanted)
    for column in whole:
        for value, expected in zip(found[column], whole[column].iloc[wanted], strict=True):
            np.testing.assert_array_equal(value, expected)


def test_a_torn_tail_is_no_row_and_is_said(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "run", "lstm", steps=60))
    whole = run.table("probe")
    (path,) = (run.path / "tables").glob("probe-*.arrows")
    data = path.read_bytes()
    path.write_bytes(data + data[-200:-8][:150])
    assert len(run.facts("probe")) == len(whole)
    np.testing.assert_array_equal(run.rows("probe", [len(whole) - 1])["values"].iloc[0], whole["values"].iloc[-1])


def test_a_report_never_holds_a_whole_large_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load(make_run(tmp_path / "run", "lstm", steps=40, clipped=True))
    original, read = _rows.wide, []

    def wide(folder: Path, name: str) -> Any:
        read.append(name)
        return original(folder, name)

    monkeypatch.setattr("gradviz.frames._run.wide", wide)
    monkeypatch.setattr("gradviz.frames._rows.wide", wide)
    report([run], kind="compare")
    assert "steps" in read
    assert not {"probe", "timesteps"} & set(read)


# ---------------------------------------------------------------------- fewer points


def drawn(*marks: Mark) -> dict[str, Any]:
    panel = Panel(marks, Axis("x"), Axis("y"))
    return plotly.figure(Description("x", "X", "", "", pd.DataFrame(), (panel,), columns=1))


def sent(figure: dict[str, Any]) -> int:
    """Points in the largest trace."""
    sizes = [len(axis["bdata"]) * 3 // 16 if isinstance(axis, dict) else len(axis) for axis in (trace["x"] for trace in figure["data"])]
    return max(sizes)


def test_a_million_points_are_sent_as_few() -> None:
    x, y = np.arange(MILLION), np.sin(np.arange(MILLION) / 1000)
    y[77] = np.nan
    assert sent(drawn(Line(x, y, "a line", label="a line"))) <= 2000
    assert sent(drawn(Points(x, y, "a cloud", small=True))) <= 4000
    assert sent(drawn(Band(x, y - 1, y + 1, "rnn"))) <= 2 * 4000 + 4


def test_a_film_has_no_more_columns_than_pixels(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "run", steps=30))
    with RunWriter.open(run.path) as writer:
        last = run.table("reach").iloc[-1].to_dict()
        for step in range(100, 100 + 2 * MOST):
            writer.append("reach", {**last, "step": step})
        writer.finish("finished")
    said = CHARTS["film"]().describe([run])
    (heat,) = said.panels[0].marks
    assert len(heat.x) == MOST
    assert (heat.x[0], heat.x[-1]) == (said.frame["step"].min(), said.frame["step"].max())
    assert said.frame["step"].nunique() > 2 * MOST, "the table behind it holds all"


# ---------------------------------------------------------------------- the same numbers as plain loops


def test_ratios_are_those_of_a_loop_over_matrices(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "run", "lstm", steps=60, variant=Variant(layers=2)))
    table, found = run.parameters, ratios(run)
    late = (table["step"].min() + table["step"].max()) / 2
    expected = {}
    for part in table.to_dict("records"):
        if part["parameter"].split(".")[-1].startswith("weight") and part["step"] >= late:
            squares = expected.setdefault((part["step"], part["parameter"]), [0.0, 0.0])
            squares[0] += part["weight"] ** 2
            squares[1] += part["update"] ** 2
    assert list(zip(found["step"], found["parameter"], strict=True)) == sorted(expected)
    lengths = np.sqrt([expected[key] for key in sorted(expected)])
    np.testing.assert_allclose(found[["weight", "update"]].to_numpy(), lengths, rtol=1e-12)
    np.testing.assert_allclose(found["ratio"], lengths[:, 1] / lengths[:, 0], rtol=1e-12)


def test_lines_are_sampled_as_one_segment_after_the_other() -> None:
    x, y = np.array([0.0, 30.0, 31.0, np.nan, 90.0, 100.0]), np.array([0.0, 10.0, 200.0, 5.0, np.nan, 8.0])
    expected = [(0, 0), (30, 10), (31, 200), (100, 8)]
    for (x0, y0), (x1, y1) in (((0, 0), (30, 10)), ((30, 10), (31, 200))):
        count = int(max(abs(x1 - x0), abs(y1 - y0)) / 3) + 1
        expected += [(x0 + (x1 - x0) * part / count, y0 + (y1 - y0) * part / count) for part in range(1, count)]
    np.testing.assert_allclose(sorted(map(tuple, sample(x, y).tolist())), sorted(expected))


def test_a_label_says_that_it_covers_exactly_when_a_point_lies_in_it() -> None:
    rng = np.random.default_rng(5)
    wishes = [Wish("a curve", "ink", np.column_stack([np.linspace(0, 300, 50), rng.uniform(0, 60, 50)])) for _ in range(4)]
    seen = set()
    for count in (0, 20, 4000):
        points = rng.uniform(0, 300, (count, 2))
        for label in settle(wishes, points, (300.0, 60.0)):
            right, half = label.left + width(label.text) + 4, HEIGHT / 2 + 2
            inside = [label.left < x < right and abs(y - label.middle) < half for x, y in points.tolist()]
            assert label.covers == any(inside)
            seen.add(label.covers)
    assert seen == {True, False}
