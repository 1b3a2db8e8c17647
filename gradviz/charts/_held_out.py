"""The held-out loss beside the training loss: its points, its lowest one, and what that is in bits."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gradviz.bits import WORD, bits, perplexity
from gradviz.charts._common import colour
from gradviz.charts._description import Points, log10
from gradviz.frames import Run
from gradviz.wording import number

MOST = 6  # runs whose lowest losses are told one by one


def held_out(run: Run) -> pd.DataFrame:
    """One row per measurement."""
    rows = run.table("held_out")
    loss = rows["loss"].to_numpy(np.float64)
    return pd.DataFrame({"run": run.label, "step": rows["step"].to_numpy(), "loss": loss, "smoothed": loss, "of": "held out"})


def marks(run: Run, frame: pd.DataFrame, log: bool) -> list[Points]:
    """A small ring per measurement, and a dot for the lowest. Round for every cell: the shapes of the curves are theirs."""
    rows = frame[frame["run"] == run.label]
    if rows.empty:
        return []
    loss, step = rows["loss"].to_numpy(), rows["step"].to_numpy()
    drawn, hue = log10(loss) if log else loss, colour(run)
    name, hover = f"{run.label}, held out", tuple(_hover(run, *pair) for pair in zip(step, loss, strict=True))
    found = [Points(step, drawn, name, hue, filled=False, small=True, hover=hover)]
    if (at := lowest(frame, run)) is not None:
        found.append(Points(step[[at]], drawn[[at]], f"{run.label}, lowest held-out loss", hue, hover=(hover[at],)))
    return found


def lowest(frame: pd.DataFrame, run: Run) -> int | None:
    """Which measurement of a run is the lowest, the first if several are; None without a finite one."""
    loss = frame.loc[frame["run"] == run.label, "loss"].to_numpy()
    finite = np.where(np.isfinite(loss), loss, np.inf)
    return int(finite.argmin()) if len(finite) and np.isfinite(finite.min()) else None


def told(runs: Sequence[Run], frame: pd.DataFrame) -> str:
    """The lowest held-out losses of runs on a text, as people who model language say them."""
    found = {run: frame[frame["run"] == run.label].iloc[at] for run in runs if _token(run) and (at := lowest(frame, run)) is not None}
    if not found or len(found) > MOST:
        return ""
    parts = [f"{number(bits(row['loss']), 3)} {_unit(run)}" + (f" ({run.label})" if len(runs) > 1 else "") for run, row in found.items()]
    if len(runs) > 1:
        return f" Lowest held-out loss: {'; '.join(parts)}."
    ((_, row),) = found.items()
    return f" Lowest held-out loss: {parts[0]}, perplexity {number(perplexity(row['loss']), 3)}, after {row['step']} updates."


def _hover(run: Run, step: int, loss: float) -> str:
    text = f"{run.label}: held-out loss {number(loss, 3)} after {step} updates"
    return f"{text}, {number(bits(loss), 3)} {_unit(run)}" if _token(run) else text


def _token(run: Run) -> str:
    return str(run.meta.get("token", ""))


def _unit(run: Run) -> str:
    return WORD.get(_token(run), "bits")
