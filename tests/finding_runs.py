"""Runs whose truth is known in closed form, written row by row: what the rules of gradviz.findings are tested on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradviz.dynamics.decay import decay_per_step
from gradviz.frames import Run, load
from gradviz.recording.store import RunWriter

LENGTH = 100
Norms = Sequence[float]


def power(weight: float, length: int = LENGTH, start: float = 0.0) -> np.ndarray:
    """log10 of the gradient of a linear unit with recurrent weight `weight`, per lag."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return start + np.where(np.arange(length) > 0, np.arange(length) * np.log10(weight), 0.0)


class Writer:
    """Fills the tables of one run; `run` closes it and reads it back."""

    def __init__(self, folder: Path, family: str = "rnn", clipping: str = "none", **meta: Any) -> None:
        experiment = {"model": {"cell": {"name": family}}, "training": {"clipping": {"name": clipping}}, "task": {"name": "text"}}
        self.out = RunWriter.create(folder, {"experiment": experiment, "family": family, "baselines": {}, "lag": None, **meta})
        self.folder = folder
        self.interval = (np.nan, np.nan, np.nan)  # low and high end of the decay's, and how many sequences it rests on

    def steps(
        self,
        before: Norms,
        after: Norms | None = None,
        loss: float | Sequence[float] = 1.0,
        cosine: float | Sequence[float] = 1.0,
        threshold: float | Sequence[float] = np.nan,
    ) -> "Writer":
        """One training step per norm; it was clipped where `after` differs from `before`."""
        losses, cosines, limits = (np.broadcast_to(np.asarray(values, float), len(before)) for values in (loss, cosine, threshold))
        for step, (norm, kept) in enumerate(zip(before, before if after is None else after, strict=True)):
            row = {"loss": losses[step], "loss_sum": losses[step], "rate": 0.01, "norm_before": norm, "norm_after": kept}
            row |= {
                "clipped": bool(norm != kept),
                "cosine": cosines[step],
                "threshold": limits[step],
                "tokens": 100,
                "seconds": float(step),
            }
            self.out.append("steps", {"step": step, "penalty": np.nan, **row})
        return self

    def reach(self, profiles: Mapping[int, np.ndarray], point: str = "hidden", layer: int = 0, direction: str = "forward") -> "Writer":
        """The profile measured at each training step."""
        for step, profile in profiles.items():
            row = {"step": step, "layer": layer, "direction": direction, "point": point, "decay": decay_per_step(profile)}
            row |= dict(zip(("decay_low", "decay_high", "sequences"), self.interval, strict=True))
            self.out.append("reach", row | dict.fromkeys(("mean", "low", "median", "high"), profile))
        return self

    def held_out(self, loss: float, step: int = 100, accuracy: float = 0.5) -> "Writer":
        self.out.append("held_out", {"step": step, "loss": loss, "accuracy": accuracy})
        return self

    def parameters(self, name: str, weight: Norms, update: Norms, gate: str = "") -> "Writer":
        """Norms of one parameter, or of one gate of it, and of its updates, every ten training steps."""
        for row, (size, change) in enumerate(zip(weight, update, strict=True)):
            norms = {"weight": size, "update": change, "ratio": change / size if size else np.nan, "distance": 0.0}
            row_of = {"step": 10 * row, "parameter": name, "gate": gate, "gradient_before": 1.0, "gradient_after": 1.0}
            self.out.append("parameters", row_of | norms)
        return self

    def saturation(
        self, point: str, left: Sequence[float], right: Sequence[float], step: int = 100, *, mean: Sequence[float] | None = None
    ) -> "Writer":
        row = {"step": step, "layer": 0, "direction": "forward", "point": point, "left": left, "right": right}
        row["mean"] = right if mean is None else mean
        self.out.append("saturation", row)
        return self

    def trouble(self, **row: Any) -> "Writer":
        usual = {"step": 5, "layer": 0, "direction": "forward", "point": "hidden", "gradient": False, "time": 7, "example": 1, "unit": 2}
        self.out.append("trouble", {**usual, "value": "nan", **row})
        return self

    def run(self) -> Run:
        self.out.finish()
        return load(self.folder)
