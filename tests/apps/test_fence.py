"""Nothing outside the folder of runs is opened, whatever links lie in it; and the page says so."""

from pathlib import Path

import pytest

from gradviz.dashboards import fence, state
from tests.apps.test_dashboard import fine, opened, words
from tests.synthetic import make_run


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder with one run; beside it, outside, another."""
    make_run(tmp_path / "outside" / "secret", family="gru", steps=4)
    make_run(tmp_path / "inside" / "mine", family="rnn", steps=4)
    return tmp_path / "inside"


def shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str]]:
    monkeypatch.setenv("GRADVIZ_RUNS", str(folder))
    found = state.shelf()
    return [run.name for run in found.runs], {one.name: one.reason for one in found.broken}


@pytest.mark.parametrize("target", ["../outside/secret", "../outside", "../../{place}/outside/secret"])
def test_a_link_to_a_run_outside_is_not_followed(target: str, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside / "link").symlink_to(target.format(place=inside.parent.name))
    assert (inside / "link").exists()
    assert shown(inside, monkeypatch) == (["mine"], {"link": fence.WHY})


@pytest.mark.parametrize("part", ["run.json", "tables", "weights.safetensors"])
def test_nor_is_a_part_of_a_run_that_lies_outside(part: str, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(inside / "mixed", family="lstm", steps=4)
    (inside / "mixed" / part).rename(inside.parent / "outside" / part)
    (inside / "mixed" / part).symlink_to(inside.parent / "outside" / part)
    assert shown(inside, monkeypatch) == (["mine"], {f"mixed/{part}": fence.WHY})


def test_a_table_that_lies_outside(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = next((inside / "mine" / "tables").iterdir())
    table.rename(inside.parent / "moved")
    table.symlink_to(inside.parent / "moved")
    assert shown(inside, monkeypatch) == ([], {f"mine/tables/{table.name}": fence.WHY})


def test_links_that_stay_inside_and_links_to_other_things_are_no_matter(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside / "latest").symlink_to("mine")
    (inside / "round").symlink_to("round")
    (inside / "tmp").symlink_to(inside.parent)  # what is further down is not looked for
    (inside / "notes").symlink_to("/etc/hostname")
    (inside / "nowhere").symlink_to("/nowhere")
    names, broken = shown(inside, monkeypatch)
    assert names == ["mine"]
    assert broken.keys() <= {"tmp"}


def test_the_folder_itself_may_be_a_link(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (inside.parent / "link").symlink_to(inside)
    assert shown(inside.parent / "link", monkeypatch) == (["mine"], {})


def test_a_link_that_appears_is_news_and_the_page_says_why_it_is_not_shown(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state.signature(inside)
    (inside / "link").symlink_to("../outside/secret")
    assert state.signature(inside) != before
    app = opened(inside, monkeypatch, runs="../outside/secret")
    fine(app)
    assert "link cannot be shown" in words(app)
    assert "leads out of the folder" in words(app)
    assert app.multiselect(key="runs").value == []
    assert list(app.multiselect(key="runs").options) == ["RNN, not clipped"]
