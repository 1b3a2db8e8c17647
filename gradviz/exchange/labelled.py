"""A run's tables as xarray datasets: arrays whose dimensions have names (step, layer, point, time, lag, unit …)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.errors import GradvizError, unknown
from gradviz.exchange._extras import optional
from gradviz.frames import Run
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import columns, is_list

WHERE = ("step", "layer", "direction", "point")
DIMENSIONS = {  # what tells the rows of a table apart; its lists add the last dimension
    "steps": ("step",),
    "held_out": ("step",),
    "timesteps": (*WHERE, "quantity"),
    "reach": WHERE,
    "parameters": ("step", "parameter", "gate"),
    "saturation": WHERE,
    "probe": (*WHERE, "example", "gradient"),
}
ALONG = {"timesteps": "time", "reach": "lag", "saturation": "unit"}
UNITS = {"seconds": "s", "decay": "1 per time step", "decay_low": "1 per time step", "decay_high": "1 per time step"}
NAMES = {"time": "time step, counted from 0", "lag": "steps back from the end", "unit": "unit, counted from 0"}
MOST = 2_000_000_000  # bytes of one variable
ENTRIES = "entries"


def to_xarray(run: Run, table: str | None = None) -> Any:
    """One table as an `xarray.Dataset`, or all of them but `trouble`, which is a list of places, as an `xarray.DataTree`.

    Every variable has its meaning as `long_name` and, where it has one, its unit as `units`. Rows fill a rectangle: where no row was
    recorded, and behind the end of shorter sequences, there is NaN, and `entries` says how many entries each row has, 0 for no row; a NaN
    within them is a number that was recorded. `timesteps` also has `lag`, steps back from the end of each sequence, by `entries`.
    """
    xarray = optional("xarray", "xarray", "Labelled arrays")
    if table is not None:
        if table not in DIMENSIONS:
            raise unknown("table", table, DIMENSIONS)
        return _dataset(xarray, run, table)
    tree = xarray.DataTree.from_dict({name: _dataset(xarray, run, name) for name in DIMENSIONS}, name=run.name)
    tree.attrs.update(_about(run))
    return tree


def _dataset(xarray: Any, run: Run, table: str) -> Any:
    rows, dimensions = run.table(table), DIMENSIONS[table]
    labels, places = _places(rows, dimensions)
    shape = tuple(len(values) for values in labels.values())
    lists = [item.name for item in TABLES[table] if is_list(item)]
    lengths = rows[lists[0]].map(len).to_numpy(int) if lists else np.ones(len(rows), int)
    variables: dict[str, Any] = {}
    for item in columns(table):
        if item.name in dimensions:
            continue
        values = _filled(rows[item.name], places, shape, lengths) if item.name in lists else _scattered(rows[item.name], places, shape)
        along = _along(table, item.name in lists)
        variables[item.name] = ((*dimensions, *along), values, _attributes(run, table, item.name, item.meaning))
    entries = np.zeros(shape, np.int64)
    entries[places] = lengths
    if table == "probe":
        _unfold(variables, rows)
    variables[ENTRIES] = (dimensions, entries, {"long_name": "entries of the row that was recorded; 0: none was"})
    found = xarray.Dataset(variables, labels, _about(run))
    for name in NAMES:
        if name in found.sizes:
            found = found.assign_coords({name: (name, np.arange(found.sizes[name]), {"long_name": NAMES[name]})})
    return found


def _unfold(variables: dict[str, Any], rows: pd.DataFrame) -> None:
    """The arrays of the probe by time and unit, if all have the same number of units."""
    units = rows["units"].unique()
    if len(units) == 1:
        dimensions, values, attributes = variables["values"]
        folded = values.reshape(*values.shape[:-1], -1, int(units[0]))
        variables["values"] = ((*dimensions[:-1], "time", "unit"), folded, attributes)
        del variables["units"]


def _along(table: str, many: bool) -> tuple[str, ...]:
    return (ALONG.get(table, "entry"),) if many else ()


def _places(rows: pd.DataFrame, dimensions: Sequence[str]) -> tuple[dict[str, Any], tuple[Array, ...]]:
    """The labels along each dimension, sorted, and where every row stands along each."""
    labels, places = {}, []
    for name in dimensions:
        codes, found = pd.factorize(rows[name], sort=True)
        labels[name] = np.asarray(found) if rows[name].dtype.kind in "ifb" else np.array([str(label) for label in found], np.str_)
        places.append(codes)
    return labels, tuple(places)


def _scattered(column: pd.Series, places: tuple[Array, ...], shape: tuple[int, ...]) -> Array:
    """One value a row; whole numbers and truth values stay what they are if every place has a row."""
    values = np.full(shape, np.nan)
    values[places] = column.to_numpy(float)
    return values.astype(column.to_numpy().dtype) if len(column) == values.size else values


def _filled(column: pd.Series, places: tuple[Array, ...], shape: tuple[int, ...], lengths: Array) -> Array:
    longest = int(lengths.max(initial=0))
    if 8 * longest * int(np.prod(shape)) > MOST:
        raise GradvizError(
            f"as one array, column {column.name} would take {8 * longest * int(np.prod(shape)) / 1e9:.0f} GB; read the table piece by "
            f"piece with Run.facts and Run.rows instead."
        )
    values = np.full((*shape, longest), np.nan)
    for row, (where, entries) in enumerate(zip(zip(*places, strict=True), column, strict=True)):
        values[where][: lengths[row]] = entries
    return values


def _attributes(run: Run, table: str, name: str, meaning: str) -> dict[str, str]:
    units = UNITS.get(name, "")
    if name == "loss" and (kind := (run.meta.get("signature") or {}).get("loss")):
        units = "nats" if kind == "softmax" else "squared error"
    if table == "reach" and name in ("mean", "low", "median", "high"):
        units = "log10"
    return {"long_name": meaning, **({"units": units} if units else {})}


def _about(run: Run) -> dict[str, str]:
    """Of the run, in plain words, so that files of any kind can hold it."""
    return {"run": run.name, "label": run.label, "status": run.status, "created": str(run.meta.get("created", ""))}
