"""One recorded run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradviz.arrays import Array, Parameters
from gradviz.config import Experiment
from gradviz.errors import RunError
from gradviz.frames._rows import counted, facts, picked
from gradviz.frames._tables import Stamp, stamp, tidy, wide
from gradviz.recording import reading
from gradviz.recording.schema import TABLES

FAMILIES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}  # in the order of every comparison


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
        return self.setting("training", "clipping", "name") not in ("", "none")

    @property
    def watched(self) -> bool:
        """Whether another library trained it and gradviz watched: then its sequences are those of the recorded batches."""
        return "watched" in self.meta

    @property
    def changes(self) -> list[tuple[int, str, float, float]]:
        """What was changed while it trained: the first step that it holds for, the option (clipping.limit), before and after."""
        return [(int(item["update"]), str(item["option"]), item["before"], item["after"]) for item in self.meta.get("changes") or []]

    @property
    def unmeasured(self) -> list[str]:
        """Columns of `steps` and `parameters` that nobody measured, as in an imported log: a NaN or False there says nothing."""
        return [str(name) for name in self.meta.get("unmeasured") or []]

    @property
    def token(self) -> str:
        """What a loss in nats is per, in runs on a text: character or word. Empty elsewhere."""
        return str(self.meta.get("token", ""))

    @property
    def best(self) -> tuple[int, float] | None:
        """Updates done and held-out loss where that was lowest: of `weights("best")`. None if it was never measured."""
        best = self.meta.get("best")
        return (int(best["step"]), float(best["loss"])) if best else None

    @property
    def test(self) -> dict[str, float]:
        """What the best weights score on sequences that took no part in choosing them: step, loss, and in nats perplexity and bits.
        Empty if the run has not finished or its task keeps none."""
        return dict(self.meta.get("test") or {})

    @property
    def stopped_early(self) -> int | None:
        """After how many updates patience came to an end; None if it did not."""
        step = self.meta.get("stopped_early")
        return None if step is None else int(step)

    def setting(self, *keys: str) -> str:
        """One entry of the stored experiment as text; empty if it is not there. Works for entries this gradviz does not know."""
        value: Any = self.meta.get("experiment")
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return "" if value is None else str(value)

    @property
    def notes(self) -> list[str]:
        """What could not be read, such as the torn tail a killed writer leaves; one sentence each."""
        return [text for name in TABLES if (text := self._note(name))]

    @property
    def remarks(self) -> list[str]:
        """What the writer had to say of the whole run, such as what of a watched model could not be replayed; one sentence each."""
        return [str(text) for text in self.meta.get("notes") or []]

    @property
    def stamp(self) -> Stamp:
        """Names, sizes and times of the files of all tables: what was computed from the tables holds until it changes."""
        return stamp(self.path)

    def table(self, name: str) -> pd.DataFrame:
        """A table as it lies on disk, lists as arrays."""
        return wide(self.path, name)[0].copy(deep=False)

    def facts(self, name: str) -> pd.DataFrame:
        """A table without its lists, which are not kept in memory: what there is, row by row. See `rows`."""
        return facts(self.path, name).copy(deep=False)

    def rows(self, name: str, numbers: Sequence[int]) -> pd.DataFrame:
        """Some rows of a table with their lists, by their number in `facts`."""
        return picked(self.path, name, numbers)

    def tidy(self, name: str) -> pd.DataFrame:
        """A table with one row per entry of its lists, numbered by `time` and `lag` (timesteps), `lag` (reach), `unit` (saturation) …"""
        return tidy(self.path, name).copy(deep=False)

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
        return sorted({int(step) for step in self.facts("probe")["step"]})

    def probe(self, step: int, example: int, point: str, *, gradient: bool = False, layer: int = 0, direction: str = "forward") -> Array:
        """The (time, unit) array of one probe sequence at one training step."""
        frame = self.facts("probe")
        wanted = {"step": step, "example": example, "point": point, "gradient": gradient, "layer": layer, "direction": direction}
        row = frame[np.logical_and.reduce([frame[name] == value for name, value in wanted.items()])]
        if row.empty:
            raise RunError(
                f"{self.name} has no probe of {', '.join(f'{name} {value}' for name, value in wanted.items())}. {_there_is(frame)}"
            )
        last = self.rows("probe", [int(row.index[-1])]).iloc[0]
        return np.array(last["values"], np.float64).reshape(-1, int(last["units"]))

    @property
    def layers(self) -> int:
        """How many layers there are, in all parts of the network."""
        return sum(count for _, count in self._parts()) or int(self.setting("model", "layers") or 1)

    @property
    def encoder(self) -> int:
        """How many layers encode, the lowest ones; 0 in a network without a decoder."""
        return dict(self._parts()).get("encoder", 0)

    def part(self, layer: int) -> str:
        """Which part of an encoder–decoder network a layer belongs to, encoder or decoder; empty in other networks. -1: the last layer."""
        names = [name for name, count in self._parts() for _ in range(count)]
        return names[layer] if names and -1 <= layer < len(names) else ""

    def layer_name(self, layer: int) -> str:
        """layer 1, or layer 1 (decoder)."""
        part = self.part(layer)
        return f"layer {layer} ({part})" if part else f"layer {layer}"

    def _parts(self) -> list[tuple[str, int]]:
        return [(str(name), int(count)) for name, count in self.meta.get("parts") or []]

    def words(self, example: int, layer: int = 0, step: int | None = None) -> list[str] | None:
        """What the steps of a probe sequence are called where this layer goes through it; None if they have no names. step: the training
        step at which it was kept, for a watched model reads other sequences at each; None: the last."""
        probe = self.meta.get("probe") or {}
        if step is not None and "steps" in probe:
            probe = {"words": probe["steps"].get(str(step))}
        words = (probe.get("decoder") or {} if self.part(layer) == "decoder" else probe).get("words")
        return list(words[example]) if words and example < len(words) and words[example] is not None else None

    @property
    def answers(self) -> list[str]:
        """What the network made of each probe sequence at the end, reading its own words; of a decoder that answers in words."""
        found = [["".join(answer[name] or ["?"]) for name in ("asked", "right", "said")] for answer in self.meta.get("answers") or []]
        return [f"{asked} → {said}" + ("" if said == right else f" (right: {right})") for asked, right, said in found]

    def weights(self, which: str = "last") -> Parameters:
        """The parameters at the end, or the "best": those with the lowest held-out loss."""
        return reading.read_weights(self.path, which)

    def _note(self, name: str) -> str:
        count, torn = counted(self.path, name)
        promised = self.meta.get("rows", {}).get(name, 0)
        short = f"table {name} has {count} of {promised} rows" if count < promised else ""
        return "; ".join(text for text in (short, torn) if text)


def _there_is(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "No probe was recorded: set Recording.probe_every and Recording.probe_examples above 0."
    names = ("step", "example", "point", "layer", "direction")
    return "There is: " + "; ".join(f"{name} {', '.join(str(value) for value in sorted(set(frame[name])))}" for name in names) + "."
