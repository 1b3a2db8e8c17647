"""Runs in words, for titles, notes and labels."""

from collections.abc import Sequence

from gradviz.frames import Run
from gradviz.wording import listed

LONGEST = 260  # characters in a title
FAMILIES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
COUNTS = {2: "both", 3: "all three", 4: "all four", 5: "all five", 6: "all six"}


def spoken(some: Sequence[Run], everyone: Sequence[Run]) -> str:
    """`some` of the runs shown, as one would say it: the clipped RNN, both GRUs and the LSTM."""
    families = list(dict.fromkeys(run.family for run in everyone))
    return listed([part for family in families for part in _of_family(family, some, everyone)])


def chunks(some: Sequence[Run], everyone: Sequence[Run]) -> list[list[Run]]:
    """`some` family by family, in the order of `everyone`."""
    families = list(dict.fromkeys(run.family for run in everyone))
    return [part for family in families if (part := [run for run in some if run.family == family])]


def _of_family(family: str, some: Sequence[Run], everyone: Sequence[Run]) -> list[str]:
    mine = [run for run in some if run.family == family]
    peers = [run for run in everyone if run.family == family]
    word = FAMILIES.get(family)
    if not mine:
        return []
    if word is None:
        return [run.label for run in mine]
    if len(mine) == len(peers):
        return [f"the {word}" if len(mine) == 1 else f"{COUNTS.get(len(mine), f'all {len(mine)}')} {word}s"]
    if sorted(run.clipped for run in peers) == [False, True]:
        return [f"the {'clipped' if mine[0].clipped else 'unclipped'} {word}"]
    return [run.label for run in mine]


def in_part(runs: Sequence[Run], layer: int) -> str:
    """ " of the decoder" if that is where this layer of all the runs belongs; nothing in networks of one part."""
    names = {run.part(layer) for run in runs}
    return f" of the {names.pop()}" if len(names) == 1 and names != {""} else ""


def sentence(text: str, plain: str = "") -> str:
    """With a capital at the beginning; `plain` instead of a finding about so many runs that it would not be read."""
    chosen = plain if plain and len(text) > LONGEST else text
    return chosen[:1].upper() + chosen[1:]
