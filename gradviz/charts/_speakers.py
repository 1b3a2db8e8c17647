"""Runs that can be asked about a text: language models with their weights, and the text they are asked about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradviz.charts._passage import MOST
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.language import LanguageModel

RECORD = (
    "No run here is a language model whose weights and vocabulary were stored. Train one with `gradviz train my.txt`: "
    "it writes them beside its tables."
)

UNKNOWN = "�"


@dataclass(frozen=True)
class Speaker:
    """A run, its network, and a text of at least one token."""

    run: Run
    model: LanguageModel
    text: str


def speakers(runs: Sequence[Run], text: str, example: int) -> tuple[list[Speaker], str]:
    """The runs that can speak of `text`, or of their recorded sequence number `example` if it is empty; and if there are none, why."""
    found, reasons = [], []
    for run in runs:
        try:
            model = LanguageModel.load(run.path)
            shown = text or probed(run, model, example)
            if shown:
                found.append(Speaker(run, model, shown[:MOST]))
        except GradvizError as error:
            reasons.append(f"{run.label}: {error}")
    return found, "" if found else " ".join([RECORD, *reasons[:1]])


def probed(run: Run, model: LanguageModel, example: int) -> str:
    """The text of a recorded sequence, from the labels of its tokens. What stands for no token is left out; an unknown one is written
    as a character that is not known either."""
    vocabulary = model.vocabulary
    ids = {label: token for token, label in enumerate(vocabulary.visible(range(len(vocabulary))))}
    found = [ids[word] for word in run.words(example) or [] if word in ids]
    spelled = replace(vocabulary, tokens=(*vocabulary.tokens, UNKNOWN))
    return spelled.decode([len(vocabulary) if token == vocabulary.unk else token for token in found], specials=False)


def quoted(text: str, most: int = 56) -> str:
    """A text as a title says it: on one line, its beginning if it is long."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= most else line[: most - 1].rstrip() + '…'}”"
