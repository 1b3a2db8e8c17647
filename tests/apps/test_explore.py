"""The pages about gradients, gates and dynamics: controls and charts that follow each other, and addresses that reproduce a view."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gradviz import frames
from gradviz.charts._description import Axis, Heat, Line, Panel
from gradviz.charts.lyapunov import _strip
from gradviz.dashboards import clicks, controls, show, state
from gradviz.dashboards.views import gates, gradient_flow
from tests.apps.test_dashboard import charts, fine, opened, words
from tests.synthetic import make_run

EXPLORE = ("gradient_flow", "gates", "dynamics", "clipping", "parameters")
KINDS = ("slider", "select_slider", "selectbox", "segmented_control", "number_input", "multiselect")

VIEWS = {
    "gradient_flow": {"step": "6", "back": "3", "token": "12", "example": "1"},
    "gates": {"step": "6", "gate": "input", "gate-unit": "2", "time": "11", "example": "1"},
    "dynamics": {
        "of": "Jacobian of the last step",
        "weights": "at the start",
        "lyapunov-steps": "40",
        "phase-sequences": "2",
        "example": "1",
    },
    "parameters": {"measure": "weight norm", "parameter": "bias"},
}

HOSTILE = {
    "step": "abc", "layer": "99", "token": "-5", "example": "7", "back": "1e99", "run": "<img src=x>", "gate": "../../etc",
    "gate-unit": "64",
    "time": "-1", "direction": "up", "of": "none", "weights": "none", "lyapunov-steps": "-5", "phase-sequences": "NaN", "measure": "loss",
    "parameter": "'; drop", "runs": "nobody", "task": "\x00",
}  # fmt: skip


def shown(app: AppTest) -> dict[str, Any]:
    return {str(item.key): item.value for kind in KINDS for item in app.get(kind)}


@pytest.mark.parametrize("view", list(VIEWS))
def test_a_link_reproduces_the_view(view: str, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(trained, monkeypatch, view, **VIEWS[view])
    fine(app)
    found = shown(app)
    assert {key: str(found[key]) for key in VIEWS[view]} == VIEWS[view]
    assert {key: app.query_params[key] for key in VIEWS[view]} == VIEWS[view], "nothing of the address was refused"


def test_a_run_without_a_way_back_does_not_wait_for_the_steps_back_chosen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "whole", family="lstm")
    make_run(tmp_path / "blind", family="gru")
    for table in (tmp_path / "blind" / "tables").glob("reach-*"):
        table.unlink()
    app = opened(tmp_path, monkeypatch, "gradient_flow", back="3")
    fine(app)
    assert shown(app)["back"] == 3
    app.multiselect(key="runs").set_value(["GRU, not clipped"]).run()
    fine(app)
    assert "back" not in shown(app)
    app.multiselect(key="runs").set_value([]).run()
    fine(app)
    assert shown(app)["back"] == 0


@pytest.mark.parametrize("view", EXPLORE)
def test_an_address_that_chooses_nothing_shows_what_is_shown_without_it(view: str, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine(opened(trained, monkeypatch, view, **dict.fromkeys(HOSTILE, "")))


@pytest.mark.parametrize("view", EXPLORE)
def test_an_address_that_makes_no_sense_shows_what_is_shown_without_it(view: str, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, hostile = opened(trained, monkeypatch, view), opened(trained, monkeypatch, view, **HOSTILE)
    fine(hostile)
    clamped = {"back", "lyapunov-steps"}  # a number that is too large or too small is brought to the end of its control
    assert {key: value for key, value in shown(hostile).items() if key not in clamped} == {
        key: value for key, value in shown(plain).items() if key not in clamped
    }


def test_the_lines_follow_the_address_and_the_film_stays_the_same(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what changes is sent anew: a chart with the same specification stays where it is in the browser."""
    at, then = (opened(trained, monkeypatch, "gradient_flow", step=step, back=back) for step, back in (("0", "3"), ("6", "9")))
    assert specs(at, "film") == specs(then, "film")
    assert specs(at, "waterfall") != specs(then, "waterfall")
    rules = [[item.proto.body for item in app.get("html") if "st-key-film-0" in item.proto.body] for app in (at, then)]
    assert all(len(found) == 1 for found in rules)
    assert rules[0] != rules[1]
    assert "Gradient norm 3 steps back" in words(at).replace("\\", "")


def specs(app: AppTest, name: str) -> list[str]:
    return [chart.proto.spec for chart in app.get("plotly_chart") if chart.proto.alt.startswith(name)]


def test_the_numbers_that_are_read_off_are_those_of_the_run(trained: Path) -> None:
    runs = state.frames.label_runs([frames.load(trained / "text-lstm")])
    table = runs[0].reach
    rows = table[(table["step"] == 6) & (table["point"] == "cell") & (table["lag"] == 4)]
    norm, first = 10 ** float(rows["mean"].iloc[0]), 10 ** float(table[(table["step"] == 6) & (table["point"] == "cell")]["mean"].iloc[0])
    assert (
        gradient_flow.reading(runs, 6, -1, 4)
        == f"Gradient norm 4 steps back: {runs[0].label} {norm:.3g} ({norm / first:.3g} of that at the loss)."
    )
    assert [gradient_flow.spelled(value) for value in (-math.inf, math.inf, math.nan, -400.0)] == ["0", "∞", "not a number", "10^-400.0"]


def test_the_heatmap_and_the_course_mark_the_same_step(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(trained, monkeypatch, "gates", run="LSTM, not clipped", time="10", **{"gate-unit": "5"})
    fine(app)
    rules = "".join(item.proto.body for item in app.get("html") if "::after" in item.proto.body)
    assert "st-key-gate_heatmap-0" in rules
    assert "st-key-unit_course-0" in rules
    assert "st-key-gate_heatmap-0 [data-testid=stPlotlyChart]::before" in rules, "the row of the unit"
    assert "Unit 5 of the LSTM" in words(app).replace("\\", "")


def test_a_layer_that_reads_both_ways_offers_its_directions(shaped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(shaped, monkeypatch, "gates", task="numbers", layer="0 (encoder)", direction="backward")
    fine(app)
    assert app.segmented_control(key="direction").value == "backward"
    heat = next(spec for spec in charts(app) if any(trace["type"] == "heatmap" for trace in spec["data"]))  # type: ignore[attr-defined]
    run = frames.load(shaped / "numbers")
    last = run.probe_steps[-1]
    backward, forward = (run.probe(last, 0, "gate.forget", direction=way) for way in ("backward", "forward"))
    drawn = np.sort(numbers(heat["data"][0]["z"]), axis=None)  # type: ignore[index]
    assert np.allclose(drawn, np.sort(backward, axis=None), atol=1e-6)
    assert not np.allclose(drawn, np.sort(forward, axis=None), atol=1e-6)


def numbers(values: Any) -> np.ndarray:
    import base64

    return np.frombuffer(base64.b64decode(values["bdata"]), "<f4") if isinstance(values, dict) else np.array(values, dtype=float)


def test_what_was_computed_is_not_computed_again(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(trained, monkeypatch, "dynamics")
    fine(app)
    before = _strip.cache_info().misses
    app.segmented_control(key="of").set_value("Jacobian of the last step").run()
    fine(app)
    opened(trained, monkeypatch, "dynamics", of="Jacobian of the last step")
    assert _strip.cache_info().misses == before
    app.number_input(key="lyapunov-steps").set_value(60).run()
    assert _strip.cache_info().misses > before, "another length is another computation"


def test_a_choice_that_another_run_does_not_have_falls_back(trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = opened(trained, monkeypatch, "gradient_flow", token="19", back="19")
    fine(app)
    monkeypatch.setattr(controls.st, "session_state", {"token": "19", "back": 19})
    monkeypatch.setattr(controls.st, "select_slider", lambda label, options, **rest: controls.st.session_state["token"])
    monkeypatch.setattr(controls.st, "slider", lambda label, low, high, **rest: controls.st.session_state["back"])
    assert controls.one_of("Loss at step", 5, "token", "all") == -1
    assert controls.number("Steps back", 7, "back") == 7


def test_a_click_is_a_place_on_its_axis_and_may_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[float] = []
    kept: dict[str, Any] = {"film-0": {"selection": {"points": [{"x": 21.0, "y": 3.0}]}}}
    monkeypatch.setattr(clicks.st, "session_state", kept)
    show.picked("film-0", show.Click(0.0, went.append))
    show.picked("film-0", show.Click(0.0, went.append, along="y"))
    kept["film-0"] = {"selection": {"points": []}}  # a second click on the same place takes the selection back
    show.picked("film-0", show.Click(0.0, went.append))
    assert went == [21.0, 3.0, 3.0]


def test_a_click_into_a_row_is_the_unit_that_is_drawn_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls.st, "session_state", {})
    gates.to_unit([7, 2, 5])(2.0)
    assert controls.st.session_state == {"gate-unit": "2"}
    gates.to_unit([7, 2, 5])(99.0)
    assert controls.st.session_state == {"gate-unit": "5"}


def test_marks_lie_where_the_axis_says() -> None:
    layout = {
        "margin": {"l": 50, "r": 10, "t": 20, "b": 40},
        "xaxis": {"range": [0.0, 100.0], "domain": [0.0, 1.0]},
        "yaxis": {"range": [0.5, 4.5], "domain": [0.0, 1.0]},
    }
    rules = clicks.lines(layout, "film-0", {"x": 25.0, "y": 2.5})
    assert "left:calc(50px + (100% - 60px)*0.25000 - 1px);top:20px;bottom:40px" in rules
    assert "bottom:calc(40px + (100% - 60px)*0.50000 - 1px);left:50px;right:10px" in rules
    assert clicks.lines(layout, "film-0", {"x": 101.0}) == "", "what lies beside the axis is not marked at its edge"


def test_targets_are_few_and_at_real_places() -> None:
    layout = {"xaxis": {"range": [0.0, 999.0]}, "yaxis": {"range": [0.0, 8.0]}}
    heat = Heat(np.arange(0, 1000, 2), np.arange(9), np.zeros((9, 500)))
    found = clicks.targets({"data": [], "layout": layout}, Panel((heat,), Axis(), Axis()), "x")
    assert len(found["x"]) == clicks.MOST
    assert set(found["x"]) <= set(range(0, 1000, 2))
    assert set(found["y"]) == {4.0}
    line = Line(np.array([0.0, 3.0, 5.0]), np.zeros(3), "line")
    assert clicks.targets({"data": [], "layout": layout}, Panel((line,), Axis(), Axis()), "x")["x"] == [0.0, 3.0, 5.0]


def test_only_an_exact_chart_that_is_new_holds_its_place(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing flashes where a picture stands, or is known."""
    from gradviz.dashboards import waiting

    said: list[str] = []
    monkeypatch.setattr(waiting.st, "skeleton", lambda height: said.append("held"))
    monkeypatch.setattr(waiting.st, "session_state", {})
    monkeypatch.setattr(waiting, "_done", lambda: known)
    known: set[Any] = set()
    for what, name in (("a", "fan"), ("a", "fan"), ("b", "fan"), ("b", "phase"), ("c", "phase2")):
        with waiting.waiting(what, name, "A moment."):
            pass
    assert said == ["held", "held"], "a: new; a: known; b: an older one stands there; b: known; c: new"


def test_a_run_without_gates_has_no_ledger_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "one", family="rnn")
    app = opened(tmp_path, monkeypatch, "gates")
    fine(app)
    assert "None of these runs has a gate that scales its memory" in words(app)


def test_figures_of_the_backend_are_what_plotly_would_check(trained: Path) -> None:
    """`live.ready` leaves the check out, so it is made here."""
    import plotly.graph_objects as go

    from gradviz.backends import plotly as live

    runs = state.frames.label_runs([frames.load(path) for path in sorted(trained.iterdir())])
    for name in ("film", "waterfall", "gradient_matrix", "eigenvalues", "phase"):
        description = show.describe(name, runs)
        for figure in show.drawn(description, "light"):
            answering = clicks.answering(figure, description.panels[0], show.Click(0.0, print)) if name == "film" else figure
            assert live.ready(answering).to_dict() is answering
            assert json.loads(go.Figure(answering).to_json())["data"]
