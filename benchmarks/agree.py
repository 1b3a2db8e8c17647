"""Before anything is timed: do all contenders give the same numbers?"""

from collections.abc import Callable
from typing import Any

import numpy as np
from job import GATES, Job

Give = Callable[[], dict[str, Any]]
FLAT = {"rnn": ("hidden",), "gru": ("hidden", "candidate"), "lstm": ("hidden", "candidate")}


def check(job: Job, ours: Give, theirs: Give, who: str) -> None:
    """Raise if an output, a gradient or a recorded series of `who` differs from gradviz's by more than float32 explains."""
    mine, other = ours(), theirs()
    pairs = {
        "outputs": (mine["outputs"], other["outputs"]),
        "gradient of the inputs": (mine["gradients"].inputs, other["inputs"]),
        **_parameters(mine["gradients"].parameters, other["weights"]),
        **_series(job, mine["rows"], other),
    }
    for name, (left, right) in pairs.items():
        left, right = np.asarray(left), _numpy(right)
        difference = np.abs(left - right).max() / max(np.abs(right).max(), 1e-30)
        if not difference < 1e-3:
            raise SystemExit(f"{who} and gradviz differ in {name} of {job.cell} at {job.size}: by {difference:.1e} of the largest.")


def _parameters(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Gradients of all parameters; the others have the blocks of a layer side by side."""
    pairs = {}
    for name, gradient in mine.items():
        short = name.removeprefix("layers.0.forward.")
        wide = np.concatenate(list(gradient), axis=-1) if short in ("weight_ih", "weight_hh", "bias") else gradient
        pairs[f"gradient of {short}"] = (wide, theirs[short])
    return pairs


def _series(job: Job, rows: dict[tuple[object, ...], dict[str, Any]], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Means over the batch of everything told per step."""
    wanted = {
        "norms": [(state, "activation_norm") for state in job.network.model.cell.states],
        "d_norms": [(state, "gradient_norm") for state in job.network.model.cell.states],
        "means": [(f"gate.{gate}", "gate_mean") for gate in GATES[job.cell]],
        "left": [(f"gate.{gate}", "saturation_left") for gate in GATES[job.cell]],
        "right": [(f"gate.{gate}", "saturation_right") for gate in GATES[job.cell]],
        "flat": [(point, "saturation_tanh") for point in FLAT[job.cell]],
    }
    pairs = {}
    for kind, places in wanted.items():
        for (point, quantity), series in zip(places, other[kind], strict=True):
            pairs[f"{quantity} of {point}"] = (rows["timesteps", point, quantity]["mean"], _numpy(series).mean(axis=1))
    return pairs


def _numpy(array: Any) -> Any:
    return array.detach().numpy() if type(array).__module__ == "torch" else np.asarray(array)
