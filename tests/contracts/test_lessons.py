"""What every lesson promises, whatever it teaches."""

import re
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gradviz import lessons
from gradviz.charts import CHARTS
from gradviz.charts._description import Description
from gradviz.dashboards.views import VIEWS
from gradviz.errors import GradvizError
from gradviz.lessons import LESSONS, NOTATIONS, Lesson, Play, Question, Screen, controls, facts_of, filled, made, positions, right, values

ALL = list(LESSONS)
PLAYS = [(name, index) for name in ALL for index in range(len(LESSONS[name].plays))]
WORDS = 60


def of(name: str, index: int) -> type[Play]:
    return LESSONS[name].plays[index]


def texts(lesson: type[Lesson]) -> list[str]:
    asked = [text for question in lesson.questions for text in (question.ask, question.answer)]
    choices = [text for question in lesson.questions for choice in question.choices for text in (choice.text, choice.why)]
    return [*(screen.text for screen in lesson.screens), *asked, *choices]


def settings_of(lesson: type[Lesson]) -> list[tuple[type[Play], dict[str, Any]]]:
    parts = [(screen.play, screen.settings) for screen in lesson.screens]
    parts += [(question.play, settings) for question in lesson.questions for settings in (question.before, question.after)]
    return [(lesson.plays[play], dict(settings)) for play, settings in parts if play >= 0]


@pytest.mark.parametrize("name", ALL)
def test_it_has_what_a_lesson_needs(name: str) -> None:
    lesson = LESSONS[name]
    assert len(lesson.title) <= 24
    assert lesson.claim[0].isupper()
    assert not lesson.claim.endswith(".")
    assert lesson.goal[0].islower()
    assert not lesson.goal.endswith(".")
    assert 3 <= len(lesson.screens) <= 9
    assert 1 <= len(lesson.plays) <= 2
    assert lesson.questions
    assert lesson.sources
    assert lesson.dispels.endswith(".")
    assert lesson.view in VIEWS
    for source in lesson.sources:
        assert not source.url or re.match(r"https://[\w.-]+/", source.url)


def test_their_order_is_without_gaps() -> None:
    assert [lesson.order for lesson in lessons.ordered().values()] == list(range(1, len(ALL) + 1))
    assert all(before.order < after.order for before, after in pairwise(lessons.ordered().values()))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("notation", list(NOTATIONS))
def test_its_words_are_few_and_filled(name: str, notation: Any) -> None:
    lesson = LESSONS[name]
    facts = facts_of(lesson)
    for text in texts(lesson):
        said = filled(text, facts, notation)
        assert said.count("$") % 2 == 0, said
        prose = re.sub(r"\$[^$]*\$", "x", said)
        assert not re.search(r"[{}]|\bnan\b|NaN|\d\.\d{7}", prose), said
        assert len(prose.split()) <= WORDS, f"{len(prose.split())} words: {said}"


@pytest.mark.parametrize("name", ALL)
def test_its_equations_never_mix_the_notations(name: str) -> None:
    for screen in LESSONS[name].screens:
        if screen.equation:
            ours, theirs = screen.equation.latex("notes"), screen.equation.latex("field")
            assert ours.count("{") == ours.count("}")
            assert theirs.count("{") == theirs.count("}")
            assert not re.search(r"h_\{?t|W_\{hh\}", ours), ours
            assert not re.search(r"\\langle|\\Gamma|W_\{aa\}", theirs), theirs


@pytest.mark.parametrize("name", ALL)
def test_every_fact_is_finite_and_told(name: str) -> None:
    lesson = LESSONS[name]
    told = " ".join(texts(lesson))
    source = {
        name for choice in (choice for question in lesson.questions for choice in question.choices) for name in constants(choice.right)
    }
    for key, value in facts_of(lesson).items():
        assert not isinstance(value, float) or np.isfinite(value), key
        assert f"{{{key}" in told or key in source, f"{key} is computed and never told"


def constants(function: Any) -> set[str]:
    return {item for item in function.__code__.co_consts if isinstance(item, str)}


@pytest.mark.parametrize("name", ALL)
def test_exactly_one_choice_is_borne_out(name: str) -> None:
    lesson = LESSONS[name]
    for question in lesson.questions:
        holds = [choice.right(facts_of(lesson)) for choice in question.choices]
        assert 2 <= len(holds) <= 4
        assert sum(map(bool, holds)) == 1, question.ask
        assert holds[right(lesson, question)]


@pytest.mark.parametrize("name", ALL)
def test_what_its_texts_set_can_be_set(name: str) -> None:
    for play, settings in settings_of(LESSONS[name]):
        made(play, settings)
        for key, value in settings.items():
            item = controls(play)[key]
            if item.metadata["choices"] or item.metadata["step"] is not None:
                assert value in values(item), f"{key} = {value} is no position of its control"
            assert type(value) is type(item.default), f"{key} = {value!r}"


@pytest.mark.parametrize(("name", "index"), PLAYS)
def test_a_play_draws_wherever_its_controls_stand(name: str, index: int) -> None:
    play = of(name, index)
    sound(play().draw())
    for item in fields(play):  # type: ignore[arg-type]
        if item.metadata["choices"] or item.metadata["step"] is not None or isinstance(item.default, bool):
            every = values(item)
            for value in dict.fromkeys((every[0], every[-1], *(every if item.metadata["choices"] else ()))):
                sound(made(play, {item.name: value}).draw())


def sound(said: Description) -> None:
    assert said.name not in CHARTS
    assert said.title
    assert said.subtitle
    assert said.look_for
    assert said.panels
    assert not said.missing
    assert len(said.frame)
    assert not re.search(r"\bnan\b|\binf\b|\d\.\d{7}|-\d", f"{said.title} {said.subtitle}"), said.title


@pytest.mark.parametrize(("name", "index"), PLAYS)
def test_what_a_file_keeps_alive_can_be_moved(name: str, index: int) -> None:
    play = of(name, index)
    if play.alive:
        found = positions(play)
        assert len(found) > 1
        assert controls(play)[play.alive].default in found
    with pytest.raises(GradvizError, match="setting of"):
        made(play, {"nonsense": 1})


@pytest.mark.parametrize("name", ALL)
def test_a_picture_changes_with_its_screens(name: str) -> None:
    """A question whose picture stays as it was shows nothing."""
    for question in LESSONS[name].questions:
        if question.play >= 0 and question.before != question.after:
            play = LESSONS[name].plays[question.play]
            before, after = made(play, dict(question.before)).draw(), made(play, dict(question.after)).draw()
            assert before.title != after.title or not before.frame.equals(after.frame)


def test_parts_say_which_play_they_look_at() -> None:
    parts: list[Screen | Question] = [part for name in ALL for part in (*LESSONS[name].screens, *LESSONS[name].questions)]
    assert all(part.play >= 0 for part in parts if isinstance(part, Screen) and part.settings)
