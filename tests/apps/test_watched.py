"""Every page of the dashboard with runs of watched PyTorch models."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gradviz.dashboards.views import VIEWS
from tests.apps.test_dashboard import fine, opened, words
from tests.watching import watched_runs

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    watched_runs(folder)
    return folder


@pytest.mark.parametrize("view", [name for name in VIEWS if VIEWS[name].shows_runs])
def test_every_view_shows_them(view: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app: AppTest = opened(runs, monkeypatch, view)
    fine(app)
    assert len(app.get("plotly_chart")) or view in ("findings", "text")
    if view == "text":
        assert "None of these runs reads words" in words(app)


def test_a_run_of_parameters_alone(tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (runs / "parameters only").rename(alone / "parameters only")
    try:
        for view in ("overview", "gates", "clipping", "dynamics"):
            app = opened(alone, monkeypatch, view)
            assert not app.exception, (view, app.exception)
    finally:
        (alone / "parameters only").rename(runs / "parameters only")
