"""What a reproduction is: a published statement, the settings it was made under, and what is measured here under the same ones."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from gradviz.charts import Description

Agreement = Literal["agrees", "differs", "open"]
Tell = Callable[[str], None]  # what is being done, for whoever waits


class Setting(NamedTuple):
    """published: as the source has it, "–" where it does not say; here: what was used; the two are shown side by side."""

    name: str
    published: str
    here: str


@dataclass(frozen=True)
class Statement:
    """published: what the source says, where: the place in it; measured: what was found here, with numbers; agreement: "open" where the
    source has no number, or what was measured decides nothing; why: what is known about a difference, or what remains open."""

    published: str
    where: str
    measured: str
    agreement: Agreement
    why: str = ""


@dataclass(frozen=True)
class Outcome:
    """claim: the result in one sentence, made from what was measured."""

    claim: str
    statements: tuple[Statement, ...]
    settings: tuple[Setting, ...]
    pictures: tuple[Description, ...]

    def count(self, agreement: Agreement) -> int:
        return sum(statement.agreement == agreement for statement in self.statements)


class Reproduction(ABC):
    """Base of all reproductions. title, source: of the publication's result; question: what it asks, one or two sentences for somebody who
    has not read it; minutes: about how long it takes on two cores."""

    title: ClassVar[str]
    source: ClassVar[str]
    question: ClassVar[str]
    minutes: ClassVar[float]

    @abstractmethod
    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        """Do it. quick: a smaller version that takes less than a minute, whose settings say what is smaller."""


def agrees(yes: bool) -> Agreement:
    return "agrees" if yes else "differs"
