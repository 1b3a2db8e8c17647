"""Norms per lag in long format (step, lag, norm) as rows of the table `reach`."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradviz.dynamics.decay import decay_per_step
from gradviz.errors import GradvizError
from gradviz.exchange._columns import LAGS, choose, lacking
from gradviz.exchange._rows import whole
from gradviz.exchange._text import Table

LONGEST = 1_000_000  # lags of one profile: it is held in memory
WHAT = {"step": "training steps", "lag": "lags, steps back from the end of the sequence", "norm": "norms of the gradient"}


def profiles(table: Table, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a training step. The rows of a step must follow each other, with the lags 0, 1, 2 … in order."""
    chosen = choose(table, asked, LAGS)
    for role, what in WHAT.items():
        if role not in chosen.roles:
            raise lacking(table, role, what)
    step, norms = -1, list[float]()
    for line, cells in table.rows:
        now, lag = (whole(table, cells[chosen.roles[role]], line, role) for role in ("step", "lag"))
        value = table.number(cells[chosen.roles["norm"]], line, table.header[chosen.roles["norm"]])
        if value is None or value < 0:
            raise table.wrong(line, table.header[chosen.roles["norm"]], "" if value is None else f"{value:g}", "must be a norm, 0 or more")
        if now != step:
            if norms:
                yield _row(step, norms)
            if now < step:
                raise GradvizError(
                    f"{table.name}, {table.word} {line}: training step {now} comes after step {step}. Sort the rows by step and lag."
                )
            step, norms = now, []
        if lag != len(norms) or lag >= LONGEST:
            raise GradvizError(
                f"{table.name}, {table.word} {line}: lag {lag} of training step {now}, where lag {len(norms)} must follow. Each step needs "
                f"the lags 0, 1, 2 … in order, at most {LONGEST}."
            )
        norms.append(value)
    if norms:
        yield _row(step, norms)


def _row(step: int, norms: list[float]) -> dict[str, Any]:
    """Percentiles are unknown: only one number per lag is given."""
    with np.errstate(divide="ignore"):
        mean = np.log10(np.array(norms))
    where = {"layer": 0, "direction": "forward", "point": "hidden"}
    unknown = np.full(len(mean), np.nan)
    spread = dict.fromkeys(("decay_low", "decay_high", "sequences"), np.nan)
    return {
        "step": step,
        **where,
        "mean": mean,
        "low": unknown,
        "median": unknown,
        "high": unknown,
        "decay": decay_per_step(mean),
        **spread,
    }
