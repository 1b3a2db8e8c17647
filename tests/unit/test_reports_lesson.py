"""A lesson as one file."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gradviz.cli import main
from gradviz.lessons import LESSONS, NOTATIONS, controls, facts_of, filled, positions
from gradviz.reports import _prose
from gradviz.reports.lesson import lesson

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NAME = "vanishing"


@pytest.fixture(scope="module")
def page() -> str:
    return lesson(NAME, now=NOW).html()


def test_the_same_moment_gives_the_same_bytes(page: str) -> None:
    assert lesson(NAME, now=NOW).html() == page


def test_every_screen_and_choice_is_there_in_both_notations(page: str) -> None:
    kind = LESSONS[NAME]
    for screen in kind.screens:
        for notation in NOTATIONS:
            assert _prose.prose(filled(screen.text, facts_of(kind), notation)) in page
            assert _prose.math(screen.equation.latex(notation), "block") in page
    assert page.count('<details name="question-') == sum(len(question.choices) for question in kind.questions)
    assert page.count(">right</span>") == len(kind.questions)


def test_the_living_control_has_every_position(page: str) -> None:
    play = LESSONS[NAME].plays[0]
    assert f'max="{len(positions(play)) - 1}" value="{positions(play).index(0.9)}"' in page
    assert '<output for="figure-9-choice"><bdi>0.9</bdi></output>' in page


def test_how_to_read_a_picture_is_said_once_in_a_row(page: str) -> None:
    assert page.count("<figcaption>") == 4  # one for each of two plays in the story, and again where they can be played


def test_its_facts_are_data() -> None:
    data = lesson(NAME, now=NOW).data()
    assert data["facts"]["linear_09"] == pytest.approx(0.9**49)
    assert data["lesson"] == NAME


def test_markdown_keeps_html_out() -> None:
    said = _prose.prose("a **b** `<i>` <script>x</script> $\\frac{1}{2}$ [link](https://example.org/a)")
    assert "<strong>b</strong>" in said
    assert "<script" not in said
    assert "<mfrac>" in said
    assert 'href="https://example.org/a"' in said
    assert "javascript:" not in _prose.prose("[x](javascript:alert(1))").replace("(javascript:", "")


def test_the_command_lists_writes_and_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lesson"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in LESSONS)
    assert main(["lesson", NAME]) == 0
    assert (tmp_path / f"lesson-{NAME}.html").stat().st_size > 100_000
    assert main(["lesson", NAME]) != 0
    assert "exists already" in capsys.readouterr().err
    assert main(["lesson", "nonsense"]) != 0
    assert NAME in capsys.readouterr().err


def test_all_lessons_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Written with one position for each living control, which is quicker; links and files are what they always are."""
    monkeypatch.setattr("gradviz.reports.lesson.positions", lambda play: [controls(play)[play.alive].default])
    assert main(["lesson", "all", "-o", str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(LESSONS)
    linked = {link for path in tmp_path.iterdir() for link in re.findall(r'href="([\w-]+)\.html"', path.read_text(encoding="utf-8"))}
    assert linked == set(LESSONS)
    assert main(["lesson", "all", "-o", str(tmp_path)]) != 0
    assert "already" in capsys.readouterr().err
