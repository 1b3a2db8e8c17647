"""Lessons on recurrent networks, one a file, in the order of the course notes. What a lesson shows is computed by the library.

A lesson knows no page: the dashboard plays it, `reports.lesson` writes it into one file.
"""

from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source, facts_of, right
from gradviz.lessons._play import Play, control, controls, made, positions, values
from gradviz.lessons._words import NOTATIONS, Equation, Notation, filled
from gradviz.registry import Registry

LESSONS: Registry[Lesson] = Registry(__name__, Lesson, "lesson")  # type: ignore[type-abstract]


def ordered() -> dict[str, type[Lesson]]:
    """The lessons by name, in their order."""
    return dict(sorted(((name, LESSONS[name]) for name in LESSONS), key=lambda item: item[1].order))


__all__ = [
    "LESSONS",
    "NOTATIONS",
    "Choice",
    "Equation",
    "Facts",
    "Lesson",
    "Notation",
    "Play",
    "Question",
    "Screen",
    "Source",
    "control",
    "controls",
    "facts_of",
    "filled",
    "made",
    "ordered",
    "positions",
    "right",
    "values",
]
