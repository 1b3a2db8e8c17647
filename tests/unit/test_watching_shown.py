"""Watched runs in every chart, finding and report: drawn, or said plainly what is missing."""

from pathlib import Path
from typing import Any

import pytest

import gradviz
from gradviz.backends import matplotlib, plotly
from gradviz.charts import CHARTS
from gradviz.findings import FINDINGS, ORDER
from gradviz.frames import Run, load_runs
from gradviz.reports import KINDS
from tests.watching import Small, batch, watched_runs

pytestmark = pytest.mark.torch
TEXT = {"connectivity", "sentence", "text_probability", "text_unit", "units"}  # a network that speaks


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("watched")
    watched_runs(folder)
    return {run.name: run for run in load_runs(folder)}


@pytest.mark.parametrize("name", list(CHARTS))
def test_every_chart_is_drawn_or_says_what_is_missing(name: str, runs: dict[str, Run]) -> None:
    for run in (runs["layers"], runs["parameters only"]):
        found = CHARTS[name]().describe([run])
        assert found.missing or found.panels
        if run.name in ("layers", "parameters only"):
            plotly.responsive(found)
        if run.name == "layers":
            matplotlib.draw(found, 6.8)
            assert bool(found.missing) == (name in TEXT), (name, found.missing)
    CHARTS[name]().describe(list(runs.values()))


@pytest.mark.parametrize("name", list(FINDINGS))
def test_every_finding_says_something(name: str, runs: dict[str, Run]) -> None:
    for run in runs.values():
        verdict = FINDINGS[name]().check(run)
        assert verdict.severity in ORDER
        assert verdict.summary.endswith(".")


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_report_is_written(kind: str, runs: dict[str, Run], tmp_path: Path) -> None:
    chosen = [runs["two modules"], runs["parameters only"]]
    path = gradviz.report(chosen, kind=kind).write(tmp_path / "report.html")
    assert path.stat().st_size > 10_000


def test_a_report_says_what_was_left_out(runs: dict[str, Run], tmp_path: Path) -> None:
    page = gradviz.report([runs["parameters only"]]).write(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "only its parameters are recorded" in page


def test_layers_of_several_modules_are_counted_through(runs: dict[str, Run]) -> None:
    run: Any = runs["two modules"]
    assert [run.layer_name(layer) for layer in range(run.layers)] == ["layer 0 (encoder)", "layer 1 (decoder)"]
    assert sorted(set(run.timesteps["layer"])) == [0, 1]
    assert {"layers.1.forward.weight_hh", "layers.0.backward.weight_hh"} <= set(run.parameters["parameter"])


def test_words_are_those_of_the_sequence_that_is_shown(tmp_path: Path) -> None:
    """At every recorded step a watched model reads other sequences."""
    model = Small()
    with gradviz.watch(model, tmp_path / "run", every=1) as watched:
        for k in range(6):
            loss = model(batch(seed=k)).square().mean()
            loss.backward()
            watched.step(loss, words=[[f"{k}{letter}" for letter in "abcdef"], ["too", "few"]])
            model.zero_grad()
    run = gradviz.load(tmp_path / "run")
    assert run.probe_steps == [0, 5]
    for step in (0, 5):
        found = CHARTS["gate_heatmap"](step=step).describe([run])
        assert found.panels[0].x.words == tuple(f"{step}{letter}" for letter in "abcdef")
        assert CHARTS["gate_heatmap"](step=step, example=1).describe([run]).panels[0].x.words[:3] == ("too", "few", "")
        course = CHARTS["unit_course"](step=step).describe([run]).frame
        assert f"{step}a" in set(course.astype(str).to_numpy().ravel())
