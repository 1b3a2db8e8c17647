"""How far the gradient of the last step's loss reaches: the rows of table `reach` that a chart draws, and sentences about them."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._words import chunks, in_part, spoken
from gradviz.dynamics.decay import half_life, horizon
from gradviz.frames import Run
from gradviz.wording import factor, listed, number, span

RECORD = "No run holds table `reach`. Record it with reach_every = 20: the gradient of the last step's loss, per steps back."
FACTORS = ("decay", "decay_low", "decay_high")
SERIES = ("mean", "low", "high")
KEPT = 32  # runs whose rows are remembered, until they are written again
APART = 3.0  # runs of one cell whose half-lives differ by more than this factor are told one by one
LEVEL = 0.005  # a factor per step this close to 1 is drawn as level: 100 steps change the norm less than twofold


def rows(run: Run, point: str = "", layer: int = -1) -> pd.DataFrame:
    """One layer and state, tidy by step and lag. layer -1: the last one; point "": the cell state if there is one, else hidden."""
    return _rows(run, run.stamp, point, layer)


@lru_cache(maxsize=KEPT)
def _rows(run: Run, stamp: object, point: str, layer: int) -> pd.DataFrame:
    table = wide(run, point, layer)
    return tidy(table, longest(table))


def wide(run: Run, point: str = "", layer: int = -1) -> pd.DataFrame:
    """The same with one row per step, in order, as it lies in table `reach`. A slider asks for it again and again."""
    return _wide(run, run.stamp, point, layer)


@lru_cache(maxsize=KEPT)
def _wide(run: Run, stamp: object, point: str, layer: int) -> pd.DataFrame:
    table = run.table("reach")
    if table.empty:
        return table
    layers, points, directions = (table[name].to_numpy() for name in ("layer", "point", "direction"))
    kept = layers == (np.unique(layers)[layer] if layer < 0 else layer)
    kept &= points == (point or ("cell" if "cell" in set(points[kept]) else "hidden"))
    ways = list(dict.fromkeys(directions[kept]))
    kept &= directions == ("forward" if "forward" in ways else next(iter(ways), ""))
    at = np.flatnonzero(kept)
    return table.iloc[at[np.argsort(table["step"].to_numpy()[at], kind="stable")]]


def longest(table: pd.DataFrame) -> int | None:
    """The largest lag that is a number at any step: no sequence is long enough for later ones. None if there is none."""
    ends = [known[-1] for values in table["mean"] if len(known := np.flatnonzero(~np.isnan(values)))]
    return int(max(ends)) if ends else None


def tidy(table: pd.DataFrame, last: int | None) -> pd.DataFrame:
    """One row per step and lag, up to `last`, out of one row per step."""
    return pd.DataFrame(flat(table, np.arange(len(table)), last))


def flat(table: pd.DataFrame, at: Array, last: int | None) -> dict[str, Array]:
    """The columns of the same, of rows `at` alone. Arrays, for a slider asks for two rows of many runs at once."""
    end = None if last is None else last + 1
    profiles = {name: [np.asarray(values[:end], np.float64) for values in table[name].to_numpy()[at]] for name in SERIES}
    lengths = [len(values) for values in profiles["mean"]]
    once = {name: np.repeat(table[name].to_numpy()[at], lengths) for name in ("step", "layer", "point", *FACTORS)}
    lags = np.concatenate([np.arange(length) for length in lengths] or [np.zeros(0, np.int64)])
    return {**once, "lag": lags, **{name: np.concatenate(found or [np.zeros(0)]) for name, found in profiles.items()}}


def what(runs: Sequence[Run], point: str, layer: int) -> str:
    """Which gradient is drawn, in words."""
    return f"the gradient of the last time step's loss with respect to {_state(runs, point)}{in_part(runs, layer)}"


def _state(runs: Sequence[Run], point: str) -> str:
    if point:
        return f"the {point} state"
    cells = {run.family for run in runs if "cell" in set(wide(run)["point"])}
    if not cells:
        return "the hidden state"
    return "the cell state" if all(run.family in cells for run in runs) else "the hidden state (LSTM: the cell state)"


def nearest(steps: Sequence[int], wanted: int) -> int:
    """The last recorded step that is not after `wanted`; -1 means the last of all."""
    earlier = [step for step in steps if wanted < 0 or step <= wanted]
    return int(max(earlier) if earlier else min(steps))


def at(table: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """The profile at one recorded step."""
    return table[table["step"] == nearest(sorted(table["step"].unique()), wanted)]


def decays(table: pd.DataFrame) -> pd.DataFrame:
    """One row per recorded step: decay per step with its interval, half-life and horizon (steps back until less than 1 % of lag 0 is
    left)."""
    found = table.sort_values("step", kind="stable")
    steps, first = np.unique(found["step"].to_numpy(), return_index=True)
    once = {name: found[name].to_numpy(np.float64)[first] for name in FACTORS}
    profiles = np.split(found["mean"].to_numpy(), first[1:]) if len(first) else []
    halves = [half_life(decay) for decay in once["decay"].tolist()]
    return pd.DataFrame(
        {"step": steps.astype(np.int64), **once, "half_life": halves, "horizon": [horizon(profile) for profile in profiles]}
    )


def kind(decay: float, profile: Array) -> str:
    """grows, level, fades, gone (zero), broken (not finite) or unknown (too short to fit)."""
    if np.isnan(profile).any() or np.isposinf(profile).any():
        return "broken"
    if np.isneginf(profile[1:]).any() and (np.isneginf(profile[1]) or decay == 0 or np.isnan(decay)):
        return "gone"
    if np.isnan(decay):
        return "unknown"
    return "level" if abs(decay - 1) <= LEVEL else "grows" if decay > 1 else "fades"


def paces(runs: Sequence[Run], decay: dict[str, float], profile: dict[str, Array]) -> str:
    """What the gradient does on its way back, in every run: "grows ×1.14 per step back in the RNN; it halves …". Keys are labels."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(kind(decay[run.label], profile[run.label]), []).append(run)
    said = [_clause(name, groups[name], runs, decay) for name in ("grows", "level", "fades", "gone", "broken", "unknown") if name in groups]
    return "; it ".join(said)


def _clause(name: str, some: list[Run], everyone: Sequence[Run], decay: dict[str, float]) -> str:
    if name in ("grows", "fades"):
        verb, end, say = ("grows", "per step back in", factor) if name == "grows" else ("halves within", "steps in", half)
        parts = [(span([decay[run.label] for run in part], say), spoken(part, everyone)) for part in _parts(some, everyone, decay)]
        first, *rest = parts
        unit = end.replace("steps", "step") if first[0] == "1" else end
        return f"{verb} {listed([f'{first[0]} {unit} {first[1]}', *(f'{value} in {names}' for value, names in rest)])}"
    who = spoken(some, everyone)
    return {
        "level": f"stays level in {who}",
        "gone": f"is exactly zero within 8 steps back in {who}",
        "broken": f"is not finite in {who}",
        "unknown": f"has no fitted pace in {who}",
    }[name]


def half(decay: float) -> str:
    """The half-life that belongs to a factor per step back, without its unit."""
    return number(half_life(decay))


def _parts(some: Sequence[Run], everyone: Sequence[Run], decay: dict[str, float]) -> list[list[Run]]:
    """Runs that are told together: those of one family, unless their half-lives are far apart."""
    out: list[list[Run]] = []
    for part in chunks(some, everyone):
        halves = sorted(abs(np.log(decay[run.label])) for run in part)
        out.extend([part] if halves[-1] <= APART * halves[0] else [[run] for run in sorted(part, key=lambda run: decay[run.label])])
    return out
