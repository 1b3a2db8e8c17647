"""What a lesson is: a few screens, pictures to play with, and questions that are answered by what the library computes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from gradviz.lessons._play import Play
from gradviz.lessons._words import Equation

Facts = dict[str, Any]


@dataclass(frozen=True)
class Screen:
    """One idea. text: at most 60 words of Markdown, with `{fact}` for every computed number and `{h_t}` for symbols;
    play: which of the lesson's plays it looks at, −1 for none; settings: of that play, the others stand by default."""

    text: str
    equation: Equation | None = None
    play: int = -1
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A prediction. right: told from the lesson's facts; why: what someone who chose it may have had in mind, and where that fails, or
    why it is so."""

    text: str
    right: Callable[[Facts], bool]
    why: str = ""


@dataclass(frozen=True)
class Question:
    """Ask before you show. answer: the sentence with the computed numbers; play: the picture, `before` and `after` the choice is made."""

    ask: str
    choices: tuple[Choice, ...]
    answer: str
    play: int = -1
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    text: str
    url: str = ""


class Lesson(ABC):
    """Base of all lessons. order: its place; title: for menus, at most 24 characters; claim: the heading, a sentence; goal: what a reader
    can do afterwards ("compute …"); dispels: a belief that many bring along and that fails; notes: the section of the course notes;
    code: modules of gradviz that do what it speaks of; view: the page of the dashboard where a real run shows it; waits: what takes
    a moment when its facts are computed for the first time."""

    order: ClassVar[int]
    title: ClassVar[str]
    claim: ClassVar[str]
    goal: ClassVar[str]
    plays: ClassVar[tuple[type[Play], ...]]
    screens: ClassVar[tuple[Screen, ...]]
    questions: ClassVar[tuple[Question, ...]]
    dispels: ClassVar[str]
    notes: ClassVar[str]
    code: ClassVar[tuple[str, ...]]
    sources: ClassVar[tuple[Source, ...]]
    view: ClassVar[str]
    waits: ClassVar[str] = ""

    @abstractmethod
    def facts(self) -> Facts:
        """Every number that its texts tell, by name, computed by the library."""


@cache
def facts_of(lesson: type[Lesson]) -> Facts:
    """A lesson's facts, computed once."""
    return lesson().facts()


def right(lesson: type[Lesson], question: Question) -> int:
    """Which choice the computed facts bear out."""
    return next(index for index, choice in enumerate(question.choices) if choice.right(facts_of(lesson)))
