"""Runs for tests of charts, made of numbers that the test chooses: what frames.Run offers, without a folder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradviz.dynamics.decay import decay_per_step

PLACE = {"layer": 0, "direction": "forward"}
REACH = ("step", "layer", "direction", "point", "mean", "low", "median", "high", "decay", "decay_low", "decay_high", "sequences")
STEPS = ("step", "loss", "norm_before", "norm_after", "clipped", "cosine", "threshold")
PARAMETERS = ("step", "parameter", "gate", "weight", "gradient_before", "gradient_after", "update", "ratio", "distance")
SATURATION = ("step", "layer", "direction", "point", "left", "right", "mean")
PROBE = ("step", "layer", "direction", "point", "example", "gradient", "units")


@dataclass(eq=False)
class FakeRun:
    family: str = "rnn"
    clipped: bool = False
    label: str = ""
    name: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    reach: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(REACH)))
    steps: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(STEPS)))
    held_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["step", "loss", "accuracy"]))
    parameters: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PARAMETERS)))
    saturation: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(SATURATION)))
    arrays: dict[tuple[int, int, str], np.ndarray] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    path: Path | str = Path("a folder that is not there")
    layers: int = 1
    unmeasured: list[str] = field(default_factory=list)
    changes: list[tuple[int, str, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        word = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}.get(self.family, "MyCell")
        self.label = self.label or f"{word}, {'clipped' if self.clipped else 'not clipped'}"

    @property
    def stamp(self) -> int:
        """Nothing is remembered from one of these runs to another."""
        return id(self)

    def facts(self, name: str) -> pd.DataFrame:
        return self.table(name)

    def table(self, name: str) -> pd.DataFrame:
        if name != "probe":
            return getattr(self, name)
        rows = [
            {"step": step, **PLACE, "point": point, "example": example, "gradient": False, "units": array.shape[1]}
            for (step, example, point), array in self.arrays.items()
        ]
        return pd.DataFrame(rows, columns=list(PROBE))

    def probe(
        self, step: int, example: int, point: str, *, gradient: bool = False, layer: int = 0, direction: str = "forward"
    ) -> np.ndarray:
        return self.arrays[step, example, point]

    def words(self, example: int, layer: int = 0, step: int | None = None) -> list[str] | None:
        return self.texts.get(example)

    def setting(self, *keys: str) -> str:
        return ""

    def part(self, layer: int) -> str:
        return ""


def reach(profiles: dict[int, np.ndarray], point: str = "hidden") -> pd.DataFrame:
    """Table `reach`: one log10 profile per step; the band is a tenth of a decade to either side."""
    rows = []
    for step, profile in profiles.items():
        mean = np.asarray(profile, dtype=float)
        series = {"mean": mean, "low": mean - 0.1, "median": mean, "high": mean + 0.1}
        decay = decay_per_step(mean)
        interval = {"decay_low": 0.99 * decay, "decay_high": 1.01 * decay, "sequences": 64.0}
        rows.append({"step": step, **PLACE, "point": point, **series, "decay": decay, **interval})
    return pd.DataFrame(rows, columns=list(REACH))


def line(factor: float, length: int = 100, start: float = -1.0) -> np.ndarray:
    """log10 profile of a gradient multiplied by `factor` with every step back."""
    return start + np.arange(length) * np.log10(factor)


def steps(loss: Any, norm: Any = 1.0, threshold: float = float("nan")) -> pd.DataFrame:
    """Table `steps`; norm clipping at `threshold`, none if NaN."""
    loss = np.asarray(loss, dtype=float)
    before = np.broadcast_to(np.asarray(norm, dtype=float), loss.shape)
    clipped = before > threshold
    after = np.where(clipped, threshold, before)
    return pd.DataFrame(
        {
            "step": np.arange(len(loss)),
            "loss": loss,
            "norm_before": before,
            "norm_after": after,
            "clipped": clipped,
            "cosine": np.ones(len(loss)),
            "threshold": threshold,
        }
    )
