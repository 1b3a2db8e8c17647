"""What the commands that ask a language model share: results go to stdout, remarks beside them."""

import argparse
import sys
from collections.abc import Sequence

from gradviz.commands._console import printable

MOST = 12  # unknown tokens to name


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", default="best", metavar="NAME", help="best: those with the lowest held-out loss, if they were kept; or last (best)"
    )


def remark(text: str) -> None:
    print(f"gradviz: {printable(text)}", file=sys.stderr)


def unknown(tokens: Sequence[str]) -> None:
    """Say which tokens were read as UNK."""
    if tokens:
        listed = ", ".join(map(repr, tokens[:MOST]))
        remark(f"not in the vocabulary, and read as <UNK>: {listed}{' …' if len(tokens) > MOST else ''}.")
