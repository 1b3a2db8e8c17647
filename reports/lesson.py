"""A lesson as one HTML file: to read without a program, its questions unfold, and of each picture one control stays alive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

from markupsafe import Markup

from gradviz.lessons import (
    LESSONS,
    NOTATIONS,
    Equation,
    Lesson,
    Play,
    Question,
    controls,
    facts_of,
    filled,
    made,
    ordered,
    positions,
    right,
)
from gradviz.reports import _assets
from gradviz.reports._choices import Moment
from gradviz.reports._figures import Figure, drawn_figure
from gradviz.reports._prose import math, prose
from gradviz.reports._report import Report
from gradviz.reports.build import carried, environment, moment


@dataclass(frozen=True)
class Twofold:
    """The same in both notations; one of them alone where they are equal."""

    notes: Markup
    field: Markup | None = None


@dataclass(frozen=True)
class Step:
    """A screen: text, equation and, where it changes, the picture."""

    text: Twofold
    equation: Twofold | None
    figure: Figure | None


def lesson(name: str, *, now: datetime | None = None) -> Report:
    """The page of the lesson `name` (an entry of `gradviz.lessons.LESSONS`). The same `now` gives the same bytes."""
    kind = LESSONS[name]
    numbers = count(1)
    steps = _steps(kind, numbers)
    plays = [_alive(play, next(numbers)) for play in kind.plays]
    figures = [*(step.figure for step in steps if step.figure), *plays]
    names = list(ordered())
    neighbours = (("before", names.index(name) - 1), ("after", names.index(name) + 1))
    page = {
        "claim": kind.claim,
        "label": f"lesson {kind.order} of {len(names)}",
        "lesson": kind,
        "goal": prose(f"Afterwards you can {kind.goal}."),
        "contents": [("story", "Step by step"), ("predict", "Predict"), ("play", "Play"), ("on", "What to take along")],
        "notations": NOTATIONS,
        "steps": steps,
        "questions": [_question(kind, one) for one in kind.questions],
        "plays": plays,
        "dispels": prose(kind.dispels),
        "around": {way: (names[other], LESSONS[names[other]]) for way, other in neighbours if 0 <= other < len(names)},
        **carried({figure.anchor: figure.payload for figure in figures}, now or moment()),
    }
    page["style"] = Markup(_assets.style() + _assets.read("lesson.css"))
    parts = (("Step by step", tuple(step.figure for step in steps if step.figure)), ("Play", tuple(plays)))
    facts = {"lesson": name, "facts": facts_of(kind)}
    return Report(kind.claim, lambda: environment().get_template("lesson.html.j2").render(page), parts, facts)


def _steps(kind: type[Lesson], numbers: Iterator[int]) -> list[Step]:
    found, before = [], None
    for screen in kind.screens:
        shown = (screen.play, dict(screen.settings)) if screen.play >= 0 else None
        known = before is not None and before[0] == screen.play
        figure = _still(kind.plays[screen.play], screen.settings, next(numbers), known) if shown and shown != before else None
        before = shown or before
        found.append(Step(_said(kind, screen.text), screen.equation and _equation(screen.equation), figure))
    return found


def _still(play: type[Play], settings: Mapping[str, Any], number: int, known: bool) -> Figure:
    """known: the same picture with other settings was seen just before, and how to read it was said there."""
    said = made(play, dict(settings)).draw()
    return drawn_figure(number, replace(said, look_for="") if known else said)


def _alive(play: type[Play], number: int) -> Figure:
    """The picture of a play; its living control moves through values that were computed beforehand."""
    if not play.alive:
        return drawn_figure(number, play().draw(), play.name)
    item = controls(play)[play.alive]
    label, values = item.metadata["label"], positions(play)
    moments = [Moment(_value(value), f"{label} {_value(value)}", made(play, {play.alive: value}).draw()) for value in values]
    return drawn_figure(number, moments[values.index(item.default)].said, play.name, label, moments)


def _value(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _said(kind: type[Lesson], text: str) -> Twofold:
    notes, field = (prose(filled(text, facts_of(kind), notation)) for notation in NOTATIONS)
    return Twofold(notes, None if field == notes else field)


def _equation(equation: Equation) -> Twofold:
    notes, field = (math(equation.latex(notation), "block") for notation in NOTATIONS)
    return Twofold(notes, None if field == notes else field)


def _question(kind: type[Lesson], one: Question) -> dict[str, Any]:
    answer = right(kind, one)
    choices = [
        {"text": _said(kind, choice.text), "right": index == answer, "why": _said(kind, choice.why) if choice.why else None}
        for index, choice in enumerate(one.choices)
    ]
    return {"ask": _said(kind, one.ask), "answer": _said(kind, one.answer), "choices": choices}
