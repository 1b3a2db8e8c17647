"""Every chart on recorded runs: none, one, six, nine, of one task and of several, whole and broken."""

import re
import warnings

import numpy as np
import pytest

from gradviz.charts import CHARTS, Description
from gradviz.charts._description import Heat, Line, Points, Tiles
from gradviz.findings import ORDER, verdicts
from gradviz.frames import Run, load_runs
from tests.chart_runs import FakeRun
from tests.synthetic import Variant, make_run

DEMO = [(family, clipped, "text") for family in ("rnn", "gru", "lstm") for clipped in (False, True)]
DEMO += [(family, True, "adding") for family in ("rnn", "gru", "lstm")]
# findings judge a run without tables, too
RECORDED = [name for name in CHARTS if name != "status" and CHARTS[name].about_runs]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Nine runs of two tasks, whose sequences differ in length."""
    out = tmp_path_factory.mktemp("demo")
    for family, clipped, task in DEMO:
        make_run(out / f"{task}-{family}-{clipped}", family, clipped, task, steps=30)
    return load_runs(out)


def sound(description: Description) -> None:
    """What holds for every description."""
    texts = [
        description.title,
        description.subtitle,
        description.look_for,
        *(f"{panel.heading} {panel.note}" for panel in description.panels),
    ]
    assert not any(re.search(r"\b(nan|None|inf)\b", text) for text in texts)
    assert description.title[0].isupper() or description.title[0].isdigit()
    assert not description.title.endswith(".")
    assert description.look_for.count(". ") == 1, "two sentences: healthy, sick"
    assert bool(description.panels) != bool(description.missing)
    assert description.source or description.missing
    for panel in description.panels:
        for axis in (panel.x, panel.y):
            assert axis.limits is None or (np.isfinite(axis.limits).all() and axis.limits[0] < axis.limits[1])
        for mark in panel.marks:
            if isinstance(mark, Line | Points):
                assert len(mark.x) == len(mark.y)
            if isinstance(mark, Heat):
                assert mark.values.shape == (len(mark.y), len(mark.x))
            if isinstance(mark, Tiles):
                assert {len(row) for row in mark.cells} == {len(mark.columns)}


@pytest.mark.parametrize("name", list(CHARTS))
def test_one_six_and_nine_runs(name: str, runs: list[Run]) -> None:
    text = [run for run in runs if run.meta.get("lag") is None]
    adding = [run for run in runs if run.meta.get("lag")]
    assert (len(text), len(adding)) == (6, 3)
    for some in (text[:1], text, adding, runs):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            description = CHARTS[name]().describe(some)
        sound(description)
        shown = [run for run in some if run in text or not CHARTS[name].network]
        named = {run.label for run in shown}
        assert len(description.title) <= 260
        if not CHARTS[name].about_runs:
            continue
        assert bool(description.missing) == (not set(description.frame["run"]))
        assert set(description.frame["run"]) <= named if CHARTS[name].exact else set(description.frame["run"]) == named


@pytest.mark.parametrize("name", RECORDED)
def test_nothing_recorded_says_what_to_record(name: str) -> None:
    description = CHARTS[name]().describe([FakeRun(), FakeRun("lstm", True)])
    sound(description)
    assert description.missing
    assert description.frame.empty
    assert len(description.frame.columns)


@pytest.mark.parametrize("name", RECORDED)
def test_a_run_without_the_data_is_named_not_dropped(name: str, runs: list[Run]) -> None:
    description = CHARTS[name]().describe([runs[-1] if CHARTS[name].exact else runs[0], FakeRun("gru", label="a run without tables")])
    assert description.subtitle.endswith(f"{'Left out' if CHARTS[name].exact else 'Not recorded'}: a run without tables.")
    assert len(set(description.frame["run"])) == 1


@pytest.mark.parametrize("name", list(CHARTS))
def test_no_runs_at_all(name: str) -> None:
    sound(CHARTS[name]().describe([]))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Run]]:
    """Runs by the number of updates they made."""
    out = tmp_path_factory.mktemp("begun")
    return {steps: load_runs(make_run(out / f"{steps}" / "run", steps=steps).parent) for steps in (0, 1, 2)}


@pytest.mark.parametrize("name", list(CHARTS))
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_run_that_has_just_begun(name: str, steps: int, begun: dict[int, list[Run]]) -> None:
    sound(CHARTS[name]().describe(begun[steps]))


@pytest.fixture(scope="module")
def ailing(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """One run that ceases to be finite, and a healthy one."""
    out = tmp_path_factory.mktemp("ailing")
    make_run(out / "bad", steps=20, variant=Variant(bad_from=7))
    make_run(out / "good", "lstm", True, steps=20)
    return load_runs(out)


@pytest.mark.parametrize("name", list(CHARTS))
def test_nan_from_some_step_on(name: str, ailing: list[Run]) -> None:
    description = CHARTS[name]().describe(ailing)
    sound(description)
    assert description.panels


@pytest.mark.parametrize("name", list(CHARTS))
def test_each_chart_says_what_it_needs(name: str) -> None:
    from gradviz.recording.schema import TABLES

    assert set(CHARTS[name].needs) <= set(TABLES)
    assert CHARTS[name].needs or CHARTS[name].exact or not CHARTS[name].about_runs
    assert CHARTS[name].purpose


def test_status_tiles_are_the_verdicts(runs: list[Run]) -> None:
    description = CHARTS["status"]().describe(runs)
    tiles = description.panels[0].marks[0]
    assert isinstance(tiles, Tiles)
    assert list(tiles.rows) == [run.label for run in runs]
    codes = [column.replace(" ", "_") for column in tiles.columns]
    worst = {code: min(ORDER.index(said) for said in rows["severity"]) for code, rows in description.frame.groupby("code")}
    assert [worst[code] for code in codes] == sorted(worst.values())[: len(codes)]
    for run, row in zip(runs, tiles.cells, strict=True):
        said = {verdict.code: (verdict.severity, verdict.word) for verdict in verdicts(run)}
        assert list(row) == [said[code] for code in codes]
        assert len(description.frame[description.frame["run"] == run.label]) == len(said)
    assert all(code in codes or code.replace("_", " ") in description.subtitle for code in worst)
    critical = [run.label for run in runs if any(verdict.severity == "critical" for verdict in verdicts(run))]
    assert description.title.startswith(f"{len(critical)} of 9 runs ")
    assert all(label in description.title for label in critical)
