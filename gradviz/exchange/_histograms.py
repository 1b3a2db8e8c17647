"""The distributions of a run: over the units of a layer, and over time steps and units of the sequences whose arrays were kept."""

from collections.abc import Iterator

import numpy as np

from gradviz.arrays import Array
from gradviz.exchange._series import Histogram, Scalar, place, plain
from gradviz.frames import Run


def saturation(run: Run) -> Iterator[Histogram | Scalar]:
    """Over units: the share of time steps and examples at either end, and the mean activation."""
    for row in run.saturation.itertuples():
        for name, side in (("saturated_left", "left"), ("saturated_right", "right"), ("activation_mean", "mean")):
            yield from _finite(f"units_{name}/{place(row)}", int(str(row.step)), np.asarray(getattr(row, side), float))


def probe(run: Run) -> Iterator[Histogram | Scalar]:
    """Over time steps and units of all kept sequences: activations, and log10 of the size of gradients, zeros left out."""
    facts = run.facts("probe")
    for _, group in facts.groupby(["step", "layer", "direction", "point", "gradient"], sort=True):
        rows = run.rows("probe", [int(number) for number in group.index])
        first = next(rows.itertuples())
        values = np.concatenate([np.asarray(array, float) for array in rows["values"]])
        if first.gradient:
            yield from _finite(f"probe_log10_gradient/{place(first)}", int(str(first.step)), np.log10(np.abs(values[values != 0])))
        else:
            yield from _finite(f"probe_activation/{place(first)}", int(str(first.step)), values)


def _finite(tag: str, step: int, values: Array) -> Iterator[Histogram | Scalar]:
    """A histogram has no place for what is not finite: beside it stands, as a scalar, how many such values there are, if there are any."""
    good = values[np.isfinite(values)]
    if len(good):
        yield Histogram(plain(tag), step, good)
    if len(good) < len(values):
        group, _, rest = tag.partition("/")
        yield Scalar(plain(f"{group}_not_finite/{rest}"), step, float(len(values) - len(good)))
