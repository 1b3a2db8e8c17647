"""Logs of other programs as runs: a CSV file or a frame of losses and gradient norms becomes a run folder like any other."""

import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gradviz.config import IMPORTED
from gradviz.errors import GradvizError
from gradviz.exchange._columns import choose, lacking
from gradviz.exchange._lags import profiles as profile_rows
from gradviz.exchange._rows import UNKNOWN, Log
from gradviz.exchange._text import Table, open_table, shown, spelled
from gradviz.files import guard
from gradviz.recording.store import RunWriter

Source = Path | str | pd.DataFrame


def import_csv(
    path: Source | None,
    folder: Path | str,
    columns: Mapping[str, Any] | None = None,
    *,
    threshold: float | None = None,
    profiles: Source | None = None,
) -> Path:
    """Make a run of a log, and return its folder, which must not exist yet.

    path: a CSV file, UTF-8, whose first line names the columns (separated by comma, semicolon, tab or |), or a DataFrame; one row a
    training step, or several that each log a part of it. None if there are only profiles.
    columns: which column is what: step, loss, held_out (a held-out loss), norm_before, norm_after (the norm of the whole gradient before
    and after clipping), threshold, rate, seconds: the name of a column, or None for no column, also if one looks like it; parameters: names
    of columns with the norm of one parameter's gradient each. What is not said is guessed from the names that Lightning, Hugging Face,
    Weights & Biases and others give; columns with no meaning here are listed in run.json.
    threshold: clips the global norm, if it is the same all through and no column holds it.
    profiles: norms per lag in long format: columns step, lag (steps back, from 0), norm; of the gradient of the last step's loss.

    An empty cell was not measured. NaN and inf are numbers, in any spelling; in a frame every NaN is one, and None or pd.NA is a gap.
    Memory is that of one training step. A GradvizError names file, line and column of what cannot be read, and then nothing is written.
    """
    folder = Path(folder)
    if folder.exists() or folder.is_symlink():
        raise GradvizError(f"{folder} exists already; give the name of a folder that does not.")
    if path is None and profiles is None:
        raise GradvizError("there is nothing to import: give a log, profiles, or both.")
    log = None if path is None else _log(open_table(path), columns or {}, threshold)
    guard(folder, lambda: folder.parent.mkdir(parents=True, exist_ok=True))
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    guard(part, part.mkdir)
    try:
        with RunWriter.create(part, _meta(spelled(folder.name))) as writer:
            _write(writer, log, None if profiles is None else open_table(profiles))
        guard(folder, lambda: os.rename(part, folder))
    finally:
        shutil.rmtree(part, ignore_errors=True)  # not there any more, if all went well
    return folder


def _log(table: Table, columns: Mapping[str, Any], threshold: float | None) -> Log:
    chosen = choose(table, columns)
    if "step" not in chosen.roles:
        raise lacking(table, "step", "training steps")
    if "norm_before" not in chosen.roles and not chosen.parameters:
        raise lacking(table, "norm_before", "norms of the gradient")
    if threshold is not None and ("threshold" in chosen.roles or not 0 < threshold < math.inf):
        raise GradvizError(f"threshold is {threshold!r}; it must be above 0 and finite, and not be given if a column of the log holds it.")
    return Log(table, chosen, threshold)


def _write(writer: RunWriter, log: Log | None, lags: Table | None) -> None:
    last, notes, names = 0, list[str](), list[str]()
    if log is not None:
        for name, row in log.rows():
            writer.append(name, row)
        if log.last < 0:
            raise GradvizError(f"{log.table.name} has a header and no rows.")
        last, names = log.last + 1, [log.table.name]
        notes += _notes(log)
        writer.meta["experiment"]["training"]["clipping"] = _clipping(log)
        writer.meta["unmeasured"] = _unmeasured(log)
    if lags is not None:
        for row in profile_rows(lags, {}):
            writer.append("reach", row)
            last = max(last, row["step"])
        if not writer.rows("reach"):
            raise GradvizError(f"{lags.name} has a header and no rows.")
        names.append(lags.name)
        notes.append(f"the norms per lag of {lags.name} are taken for those of the gradient of the last step's loss, at a hidden state")
    writer.meta["experiment"]["task"]["source"] = ", ".join(names)
    writer.meta["experiment"]["training"]["updates"] = last
    writer.flush()
    writer.update(updates_done=last, seconds=0.0 if log is None else log.seconds, notes=notes)


def _meta(name: str) -> dict[str, Any]:
    """What run.json says of a run that gradviz did not train: the entries are those of any run, and nothing is claimed to be known."""
    experiment = {
        "task": {"name": IMPORTED, "source": ""},
        "model": {"cell": {"name": ""}, "units": 0, "layers": 1, "direction": "forward"},
        "training": {"updates": 0, "optimizer": {"name": "unknown"}, "clipping": {"name": ""}},
        "recording": {},
        "name": name,
    }
    known: dict[str, Any] = {
        "unmeasured": ["clipped", *UNKNOWN],
        "signature": {},
        "facts": {},
        "token": "",
        "baselines": {},
        "lag": None,
        "parts": [],
        "points": [],
    }
    return {"name": name, "experiment": experiment, "family": "other", **known, "probe": {"lengths": [], "words": []}, "notes": []}


def _clipping(log: Log) -> dict[str, Any]:
    if len(log.limits) == 1:
        return {"name": "norm", "limit": next(iter(log.limits))}
    if log.limits or log.clipped:
        return {"name": "unknown"}
    return {"name": "none" if "norm_after" in log.chosen.roles else ""}


def _unmeasured(log: Log) -> list[str]:
    roles = log.chosen.roles
    known = "norm_after" in roles or log.limits
    return [*([] if "loss" in roles else ["loss"]), "loss_sum", *([] if known else ["norm_after", "clipped"]), "cosine", *UNKNOWN]


def _notes(log: Log) -> list[str]:
    """What was assumed, and what was left out."""
    roles, table = log.chosen.roles, log.table
    notes = [f"imported from {table.name}; gradviz did not train it, and what no column held is not known"]
    if log.summed:
        notes.append(f"the norm of the whole gradient is put together from the {len(log.chosen.parameters)} parameters in {table.name}")
    if "norm_after" not in roles and log.limits:
        notes.append("norms after clipping are the smaller of norm and threshold, as clipping by the global norm makes them")
    elif "norm_after" not in roles:
        notes.append(f"nothing in {table.name} tells of clipping; its norms are taken for those before clipping")
    if log.partial:
        kept = f"{log.written} training steps have loss and norms and are kept in `steps`"
        notes.append(
            f'{kept}, {log.partial} have only some of them and are left out there; with columns={{"loss": None}} all norms are kept'
        )
    if "," in table.habits:
        notes.append(f"commas in the numbers of {table.name} were read as decimal marks")
    if log.chosen.ignored:
        notes.append(f"columns of {table.name} that were not used: {shown(list(log.chosen.ignored))}")
    return notes
