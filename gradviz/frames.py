"""Recorded runs as pandas frames.

Columns and their meanings are those of `gradviz.recording.schema.TABLES` (`meanings(table)`). Wide frames have one row per row on
disk, lists included; tidy ones have one row per time step (or lag). Rows that another process adds are there at the next call.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradviz.arrays import Array, Parameters
from gradviz.config import Experiment
from gradviz.errors import RunError, unknown
from gradviz.recording import reading
from gradviz.recording._segments import is_list, segments
from gradviz.recording.schema import TABLES

FAMILIES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}  # in the order of every comparison
KEEP = 256  # frames held in memory


def meanings(table: str) -> dict[str, str]:
    """What each column of a table is, units included."""
    return {item.name: item.meaning for item in TABLES[table]}


@dataclass(frozen=True, eq=False)
class Run:
    """One recorded run. `meta` is run.json as it was when the run was loaded; the tables are read when asked for."""

    path: Path
    meta: dict[str, Any]
    label: str

    @property
    def name(self) -> str:
        return str(self.meta.get("name") or self.path.name)

    @property
    def status(self) -> str:
        """running, finished, interrupted or failed."""
        return str(self.meta.get("status", ""))

    @property
    def experiment(self) -> Experiment:
        return Experiment.from_dict(self.meta["experiment"])

    @property
    def family(self) -> str:
        """rnn, gru, lstm or other: decides colour and marker."""
        family = str(self.meta.get("family", ""))
        return family if family in FAMILIES else "other"

    @property
    def clipped(self) -> bool:
        """Whether a clipping rule other than "none" was set (not whether it ever acted)."""
        return self._setting("training", "clipping", "name") not in ("", "none")

    @property
    def notes(self) -> list[str]:
        """What could not be read, such as the torn tail a killed writer leaves; one sentence each."""
        return [text for name in TABLES if (text := self._note(name))]

    def table(self, name: str) -> pd.DataFrame:
        """A table as it lies on disk, lists as arrays."""
        if name not in TABLES:
            raise unknown("table", name, TABLES)
        return _wide(self.path, name, _stamp(self.path, name))[0].copy()

    def tidy(self, name: str) -> pd.DataFrame:
        """A table with one row per entry of its lists, numbered by `time` and `lag` (timesteps), `lag` (reach), `unit` (saturation) …"""
        if name not in TABLES:
            raise unknown("table", name, TABLES)
        return _tidy(self.path, name, _stamp(self.path, name)).copy()

    @property
    def steps(self) -> pd.DataFrame:
        return self.table("steps")

    @property
    def held_out(self) -> pd.DataFrame:
        return self.table("held_out")

    @property
    def parameters(self) -> pd.DataFrame:
        return self.table("parameters")

    @property
    def saturation(self) -> pd.DataFrame:
        return self.table("saturation")

    @property
    def trouble(self) -> pd.DataFrame:
        return self.table("trouble")

    @property
    def timesteps(self) -> pd.DataFrame:
        """Tidy: one row per step, layer, direction, point, quantity and `time`; `lag` = steps back from the end of the sequence."""
        return self.tidy("timesteps")

    @property
    def reach(self) -> pd.DataFrame:
        """Tidy: one row per step, layer, direction, point and `lag`; mean, low, median and high are log10."""
        return self.tidy("reach")

    @property
    def reach_steps(self) -> list[int]:
        """Training steps at which the reach was measured."""
        return sorted({int(step) for step in self.table("reach")["step"]})

    @property
    def probe_steps(self) -> list[int]:
        """Training steps at which the probe's arrays were kept."""
        return sorted({int(step) for step in self.table("probe")["step"]})

    def probe(self, step: int, example: int, point: str, *, gradient: bool = False, layer: int = 0, direction: str = "forward") -> Array:  # noqa: PLR0913
        """The (time, unit) array of one probe sequence at one training step."""
        frame = self.table("probe")
        wanted = {"step": step, "example": example, "point": point, "gradient": gradient, "layer": layer, "direction": direction}
        row = frame[np.logical_and.reduce([frame[name] == value for name, value in wanted.items()])]
        if row.empty:
            raise RunError(f"{self.name} has no probe of {', '.join(f'{name} {value}' for name, value in wanted.items())}. {_there_is(frame)}")
        last = row.iloc[-1]
        return np.array(last["values"], np.float32).reshape(-1, int(last["units"]))

    def words(self, example: int) -> list[str] | None:
        """What the steps of a probe sequence are called; None if they have no names."""
        words = (self.meta.get("probe") or {}).get("words")
        return list(words[example]) if words and example < len(words) and words[example] is not None else None

    def weights(self) -> Parameters:
        return reading.read_weights(self.path)

    def _note(self, name: str) -> str:
        frame, torn = _wide(self.path, name, _stamp(self.path, name))
        promised = self.meta.get("rows", {}).get(name, 0)
        short = f"table {name} has {len(frame)} of {promised} rows" if len(frame) < promised else ""
        return "; ".join(text for text in (short, torn) if text)

    def _setting(self, *keys: str) -> str:
        """One entry of the stored experiment as text; empty if it is not there. Works for entries this gradviz does not know."""
        value: Any = self.meta.get("experiment")
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return "" if value is None else str(value)


def load(path: Path | str) -> Run:
    """The run in a folder."""
    meta = reading.read_meta(path)
    run = Run(Path(path), meta, "")
    return dataclasses.replace(run, label=_label(run))


def load_runs(where: Path | str | Iterable[Path | str]) -> list[Run]:
    """All runs in a folder, or the runs of several folders, in the order of every comparison, each with a label of its own."""
    if isinstance(where, str | Path):
        found = reading.find_runs(where)
        if not found:
            reading.read_meta(where)  # says what is wrong
        return label_runs([load(path) for path in found])
    return label_runs([load(path) for path in where])


def label_runs(runs: Sequence[Run]) -> list[Run]:
    """Runs ordered by family, without clipping first, with labels that tell them apart, no longer than that takes."""
    families = [*FAMILIES, "other"]
    ordered = sorted(runs, key=lambda run: (families.index(run.family), run.clipped, run._setting("task", "name"), run.name, str(run.path)))
    labels = [_label(run) for run in ordered]
    for extra in _EXTRAS:
        labels = [_longer(index, labels, [extra(run) for run in ordered]) for index in range(len(labels))]
    return [dataclasses.replace(run, label=label) for run, label in zip(ordered, labels, strict=True)]


def summary(run: Run) -> dict[str, Any]:
    """What `gradviz runs` says of a run, by heading. Losses are those of the last recorded step; NaN if there is none."""
    steps, held_out = run.steps, run.held_out
    return {
        "name": run.name,
        "label": run.label,
        "status": run.status,
        "task": run._setting("task", "name"),
        "cell": run._setting("model", "cell", "name"),
        "clipping": run._setting("training", "clipping", "name"),
        "parameters": run.meta.get("parameters", 0),
        "updates": run.meta.get("updates_done", 0),
        "seconds": run.meta.get("seconds", 0.0),
        "loss": float(steps["loss"].iloc[-1]) if len(steps) else float("nan"),
        "held-out loss": float(held_out["loss"].iloc[-1]) if len(held_out) else float("nan"),
        "created": run.meta.get("created", ""),
        "folder": str(run.path),
        "error": run.meta.get("error", ""),
        "notes": run.notes,
    }


def _label(run: Run) -> str:
    cell = FAMILIES.get(run.family) or run._setting("model", "cell", "name") or run.name
    return f"{cell}, {'clipped' if run.clipped else 'not clipped'}"


def _layers(run: Run) -> str:
    count = run._setting("model", "layers")
    ways = ", both directions" if run._setting("model", "bidirectional") == "True" else ""
    return f"{count} layer{'' if count == '1' else 's'}{ways}"


_EXTRAS: tuple[Callable[[Run], str], ...] = (
    lambda run: run._setting("task", "name"),
    _layers,
    lambda run: run._setting("model", "cell", "name"),
    lambda run: run._setting("training", "clipping", "name"),
    lambda run: run.name,
    lambda run: str(run.path),
)


def _longer(index: int, labels: Sequence[str], extras: Sequence[str]) -> str:
    """The label with its extra, if others have the same label and another extra."""
    rivals = {extra for label, extra in zip(labels, extras, strict=True) if label == labels[index]}
    return f"{labels[index]}, {extras[index]}" if len(rivals) > 1 else labels[index]


def _there_is(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "No probe was recorded: set Recording.probe_every and Recording.probe_examples above 0."
    names = ("step", "example", "point", "layer", "direction")
    return "There is: " + "; ".join(f"{name} {', '.join(str(value) for value in sorted(set(frame[name])))}" for name in names) + "."


Stamp = tuple[tuple[str, int, int], ...]


def _stamp(folder: Path, name: str) -> Stamp:
    """Changes whenever a segment of the table does."""
    return tuple((path.name, (facts := path.stat()).st_size, facts.st_mtime_ns) for path in segments(folder, name))


@lru_cache(maxsize=KEEP)
def _wide(folder: Path, name: str, stamp: Stamp) -> tuple[pd.DataFrame, str]:
    table = reading.read_table(folder, name)
    return table.to_pandas(), reading.note(table)


@lru_cache(maxsize=KEEP)
def _tidy(folder: Path, name: str, stamp: Stamp) -> pd.DataFrame:
    return explode(name, _wide(folder, name, stamp)[0])


def explode(name: str, wide: pd.DataFrame) -> pd.DataFrame:
    """A wide frame of table `name` with one row per entry of its lists and the entry's number beside it."""
    lists = [item.name for item in TABLES[name] if is_list(item)]
    if not lists:
        return wide
    lengths = wide[lists[0]].map(len).to_numpy(np.int64)
    tidy = wide.drop(columns=lists).loc[np.repeat(wide.index, lengths)].reset_index(drop=True)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    place = np.arange(len(first)) - first
    for column, values in _places(name, place, np.repeat(lengths, lengths), tidy).items():
        tidy[column] = values
    for column in lists:
        tidy[column] = np.concatenate([np.empty(0), *wide[column]])
    return tidy


def _places(name: str, place: Array, length: Array, tidy: pd.DataFrame) -> dict[str, Any]:
    """What the number of an entry means in each table."""
    match name:
        case "timesteps":
            return {"time": place, "lag": length - 1 - place}
        case "reach":
            return {"lag": place}
        case "probe":
            return {"time": place // tidy["units"], "unit": place % tidy["units"]}
        case _:
            return {"unit": place}
