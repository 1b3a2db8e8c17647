"""Language: what a model expects of a text, token by token, and what of it a prediction still feels."""

from gradviz.reports.kinds._chapters import GATES, ONE_BY_ONE, Chapter, Chapters

EXPECTS = Chapter(
    "expects",
    "What it expects",
    "A sentence is as probable as the product of its factors: each token's probability, given all before it.",
    ("sentence",),
)
FEELS = Chapter(
    "feels", "What a prediction feels", "Every token read before moves the next prediction, some hardly at all.", ("connectivity",)
)
KNOWS = Chapter(
    "knows",
    "What its units know",
    "Some units follow something a reader can name: quotes, brackets, the place in the line.",
    ("text_unit", "units"),
)
LEARNED = Chapter("loss", "What it learned", "Loss in nats per token, beside what ignorance scores.", ("loss",))


class Language(Chapters):
    label = "language model"
    purpose = "what a language model expects, token by token, what moves a prediction, and what its units know"
    opening = "text_probability"
    choices = ONE_BY_ONE

    def chapters(self) -> tuple[Chapter, ...]:
        return (EXPECTS, FEELS, KNOWS, LEARNED, GATES)
