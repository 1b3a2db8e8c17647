"""A run as one TensorBoard event file: scalars and histograms, at its training steps and, as far as they were recorded, its times.

TensorBoard keeps scalars in single precision, where 1e-50 would be 0 and 1e50 infinite. A number that single precision cannot hold is left
out there and stands under the same tag with `log10_` before its last part; NaN and infinity stay what they are.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.exchange import _histograms, _scalars
from gradviz.exchange._extras import optional
from gradviz.exchange._series import Histogram, Scalar
from gradviz.frames import Run

FILE = "events.out.tfevents.gradviz"  # TensorBoard reads files with "tfevents" in their names, in the order of these
WIDEST = float(np.finfo(np.float32).max)
FINEST = float(np.finfo(np.float32).smallest_normal)
BUCKETS = 30
WHAT = "TensorBoard event files"

SOURCES: dict[str, tuple[Callable[[Run], Iterator[Scalar | Histogram]], ...]] = {
    "steps": (_scalars.steps,),
    "held_out": (_scalars.held_out,),
    "timesteps": (_scalars.time_steps,),
    "reach": (_scalars.reach,),
    "parameters": (_scalars.parameters,),
    "saturation": (_scalars.saturation, _histograms.saturation),
    "probe": (_histograms.probe,),
}


def require() -> tuple[Any, Any]:
    """TensorBoard's messages and a writer of them; a GradvizError that names the extra if they are not installed."""
    return optional("tensorboardX.proto.event_pb2", "tensorboard", WHAT), optional("tensorboardX.record_writer", "tensorboard", WHAT)


def write_events(run: Run, path: Path, tables: Sequence[str]) -> None:
    """Write what these tables hold, one after the other. An OSError if the file cannot be written."""
    protos, records = require()
    clock = _clock(run)
    writer = records.RecordWriter(str(path.resolve()))  # "s3:" in front would be another way to write
    try:
        writer.write(protos.Event(wall_time=clock(0), file_version="brain.Event:2").SerializeToString())
        for source in (source for name in tables for source in SOURCES.get(name, ())):
            for item in source(run):
                for value in _values(item):
                    event = protos.Event(wall_time=clock(item.step), step=item.step, summary={"value": [value]})
                    writer.write(event.SerializeToString())
    finally:
        writer.close()


def _values(item: Scalar | Histogram) -> Iterator[dict[str, Any]]:
    """As TensorBoard calls them. A scalar where single precision can say it; of what may be tiny or huge its logarithm as well."""
    if isinstance(item, Histogram):
        yield {"tag": item.tag, "histo": _buckets(item.values)}
        return
    size = abs(item.value)
    if not np.isfinite(size) or size == 0 or FINEST <= size <= WIDEST:
        yield {"tag": item.tag, "simple_value": item.value}
    if item.wide and size > 0 and np.isfinite(size):
        group, _, last = item.tag.rpartition("/")
        yield {"tag": f"{group}/log10_{last}", "simple_value": float(np.log10(size))}


def _buckets(values: Array) -> dict[str, Any]:
    """TensorBoard's form of a histogram: the upper end of each bucket and how many values fall into it."""
    scale = float(np.abs(values).max()) or 1.0  # the span of two huge values would overflow
    counts, ends = np.histogram(values / scale, bins=min(BUCKETS, len(values)))
    with np.errstate(over="ignore"):
        sums = {"sum": float(values.sum()), "sum_squares": float(np.square(values).sum())}
        limits = (ends[1:] * scale).tolist()
    span = {"min": float(values.min()), "max": float(values.max()), "num": float(len(values))}
    return {**span, **sums, "bucket_limit": limits, "bucket": counts.astype(float).tolist()}


def _clock(run: Run) -> Callable[[int], float]:
    """Seconds since 1970 of a training step: when the run began, and the seconds since then, where they were recorded."""
    try:
        began = datetime.fromisoformat(str(run.meta.get("created", ""))).timestamp()
    except ValueError:
        began = 0.0
    rows = run.steps[["step", "seconds"]].dropna()
    step, seconds = rows["step"].to_numpy(float), rows["seconds"].to_numpy(float)
    if not len(step):
        return lambda at: began
    return lambda at: began + float(np.interp(at, step, seconds))
