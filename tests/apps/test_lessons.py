"""Every lesson on its page, from its first screen to its play, without a browser."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from gradviz.dashboards.lesson import PLAY, page_of
from gradviz.lessons import LESSONS, controls, facts_of, filled, made, ordered, right
from tests.apps.test_dashboard import fine, opened, words

ALL = list(LESSONS)


@pytest.fixture
def open_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens a lesson's page; there are no runs, and it needs none."""
    return lambda name, **query: opened(tmp_path, monkeypatch, page_of(name), **query)


def step(app: AppTest, name: str) -> Any:
    return app.pills(key=f"step{LESSONS[name].order}")


def heading(app: AppTest) -> str:
    """The title of the picture."""
    return plain(str(app.header[0].value))


def plain(text: str) -> str:
    return text.replace("\\", "")


def test_the_list_leads_to_every_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path, monkeypatch, "lessons")
    fine(app)
    links = [item.proto.page for item in app.get("page_link")]
    for name, lesson in ordered().items():
        assert any(page_of(name) in link for link in links)
        assert lesson.claim in words(app)


@pytest.mark.parametrize("name", ALL)
def test_a_lesson_from_its_first_screen_to_its_play(name: str, open_lesson: Any) -> None:
    lesson = LESSONS[name]
    app = open_lesson(name)
    fine(app)
    assert lesson.claim in app.title[0].value
    for index, screen in enumerate(lesson.screens):
        step(app, name).set_value(str(index + 1)).run()
        fine(app)
        assert filled(screen.text, facts_of(lesson), "notes") in words(app)
        if screen.play >= 0:
            assert heading(app) == made(lesson.plays[screen.play], dict(screen.settings)).draw().title
    for index, question in enumerate(lesson.questions):
        step(app, name).set_value(f"Predict {index + 1}").run()
        before = heading(app) if question.play >= 0 else ""
        assert filled(question.answer, facts_of(lesson), "notes") not in words(app)
        app.radio[0].set_value(right(lesson, question)).run()
        fine(app)
        assert filled(question.answer, facts_of(lesson), "notes") in words(app)
        assert "right" in words(app)
        if question.before != question.after:
            assert heading(app) != before
    step(app, name).set_value(PLAY).run()
    fine(app)
    assert len(app.header) == len(lesson.plays)


def test_a_wrong_prediction_is_explained(open_lesson: Any) -> None:
    app = open_lesson("vanishing", step6="Predict 1")
    app.radio[0].set_value(0).run()
    assert "not quite" in words(app)
    assert "That is one step; there are 49 of them." in words(app)


def test_next_and_back_walk_through_the_screens(open_lesson: Any) -> None:
    app = open_lesson("vanishing")
    assert app.button(key="step6-back").disabled
    app.button(key="step6-next").click().run()
    assert step(app, "vanishing").value == "2"
    assert app.slider(key="6a-w").value == 0.9
    app.button(key="step6-back").click().run()
    assert app.slider(key="6a-w").value == 1.0


def test_an_address_holds_place_notation_and_controls(open_lesson: Any) -> None:
    app = open_lesson("vanishing", step6="4", notation="the field", **{"6a-w": "1.3"})
    fine(app)
    assert step(app, "vanishing").value == "4"
    assert "h_{t-1}" in app.latex[0].value
    assert app.slider(key="6a-w").value == 1.3
    assert "w = 1.3" in heading(app)


NONSENSE = [
    ("step6", ""), ("step6", "99"), ("step6", "Predict 9"), ("notation", ""), ("notation", "klingon"), ("6b-weights", ""), ("6b-g", "nan"),
    ("6b-g", "1e9"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), NONSENSE)
def test_nonsense_in_an_address_falls_back(key: str, value: str, open_lesson: Any) -> None:
    fine(open_lesson("vanishing", **{"step6": "7", key: value}))


@pytest.mark.parametrize("name", ALL)
def test_every_control_of_the_play_once(name: str, open_lesson: Any) -> None:
    lesson = LESSONS[name]
    app = open_lesson(name, **{f"step{lesson.order}": PLAY})
    for index, play in enumerate(lesson.plays):
        for setting, item in controls(play).items():
            key = f"{lesson.order}{'abc'[index]}-{setting}"
            widget = next(widget for kind in KINDS for widget in app.get(kind) if widget.key == key)
            widget.set_value(other(item)).run()
            assert not app.exception
            assert "cannot be drawn" not in words(app)


KINDS = ("slider", "select_slider", "segmented_control", "pills", "toggle", "text_input")


def other(item: Any) -> Any:
    """A value that is not the default."""
    if item.metadata["choices"]:
        return next(choice for choice in item.metadata["choices"] if choice != item.default)
    if isinstance(item.default, bool):
        return not item.default
    return item.default if isinstance(item.default, str) else item.metadata["high"]
