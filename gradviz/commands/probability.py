"""gradviz probability: what a language model makes of a sentence, factor by factor."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gradviz.bits import bits
from gradviz.commands._base import Command
from gradviz.commands._console import printable, say, show_table
from gradviz.commands._language import add_weights, unknown
from gradviz.wording import THIN, number, number_of_log, percent

if TYPE_CHECKING:
    from gradviz.language import SentenceProbability

COLUMNS = (
    ("step", "right"),
    ("token", "left"),
    ("probability", "right"),
    ("bits", "right"),
    ("product so far", "right"),
    ("likeliest in its place", "left"),
)
DISPENSABLE = ("bits", "likeliest in its place", "step")


class Probability(Command):
    summary = "the probability of a sentence, factor by factor"
    details = """\
The probability that a trained language model gives to a sentence: the product of the probabilities of its tokens, each given those before.

  gradviz probability gradviz-runs/text-lstm "Return a string."
"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
        parser.add_argument("sentence", metavar="SENTENCE", help="the text, in quotes")
        parser.add_argument("--top", type=int, default=3, metavar="N", help="name the N likeliest tokens at each step (3)")
        parser.add_argument("--no-eos", action="store_true", help="the sentence goes on: leave out the probability of its end")
        add_weights(parser)

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.language import LanguageModel, probability  # safetensors and pyarrow: not needed for --help

        model = LanguageModel.load(arguments.run, arguments.weights)
        said = probability(model, arguments.sentence, eos=not arguments.no_eos, most=arguments.top)
        show_table(COLUMNS, _rows(said), DISPENSABLE)
        say(_summary(said))
        unknown(said.unknown)


def _rows(said: "SentenceProbability") -> list[list[str]]:
    """A line for each token."""
    products = np.cumsum(said.log_factors) / math.log(10)
    rows = []
    for t, (token, factor, best) in enumerate(zip(said.tokens, said.log_factors, said.alternatives, strict=True)):
        numbers = [number(math.exp(factor)), number(bits(-float(factor))), number_of_log(float(products[t]))]
        likeliest = ", ".join(f"{label} {percent(share)}" for label, share in best)
        rows.append([str(t + 1), token, *(cell.replace(THIN, " ") for cell in (*numbers, likeliest))])
    return rows


def _summary(said: "SentenceProbability") -> str:
    count, end = len(said.tokens), ", its end included" if said.includes_eos else ""
    over = f"{count} token{'' if count == 1 else 's'}{end}"
    costs = f"Perplexity {number(said.perplexity)}, {number(said.bits_per_character)} bits per character."
    text = f"Probability {number_of_log(said.log10)} ({number(said.log_probability)} nats) over {over}. {costs}"
    return printable(text.replace(THIN, " "))
