"""The tables of a run, column by column. This is the one description that the store, the frames and the documentation use.

Types are Arrow's names; `list<double>` is a series over time, one value per time step (or per lag).
"""

from typing import NamedTuple

VERSION = 3


class Column(NamedTuple):
    """since: the version that brought it. Runs written before have NaN there, so later columns are doubles."""

    name: str
    type: str
    meaning: str
    since: int = 1


STEP = Column("step", "int32", "training step, counted from 0")
WHERE = (
    Column("layer", "int16", "layer, counted from 0 at the input; those of a decoder follow those of its encoder"),
    Column("direction", "string", "forward or backward: the way the layer reads the sequence"),
    Column("point", "string", "last parts of the hook point: hidden, cell, gate.forget, candidate …"),
)

REACH = (
    "log10 of the geometric mean over held-out sequences of the norm of the gradient of the LAST step's loss, per lag (steps back from "
    "the end of each sequence, in an encoder of what it reads); -inf where it is exactly zero"
)

INTERVAL = (
    "the 95 % interval of the factor per step back, by Student's t from the slopes of the single sequences; NaN if fewer than 3 of them, "
    "or less than half, can be fitted, and in runs recorded before it was measured"
)

TABLES: dict[str, tuple[Column, ...]] = {
    "steps": (
        STEP,
        Column("loss", "double", "mean loss per counted step of the batch, before the update (nats, or squared error)"),
        Column("loss_sum", "double", "loss summed over the time steps of a sequence, mean over the batch, as the course notes write it"),
        Column("rate", "double", "learning rate"),
        Column("norm_before", "double", "global norm of the gradient before clipping"),
        Column("norm_after", "double", "global norm of the gradient after clipping"),
        Column("clipped", "bool", "whether clipping changed the gradient"),
        Column("cosine", "double", "cosine of the angle between the gradient before and after clipping"),
        Column("threshold", "double", "clipping threshold in force, NaN if the rule has none"),
        Column("tokens", "int64", "time steps with a loss in this batch"),
        Column("seconds", "double", "seconds since training began"),
        Column("penalty", "double", "the regularizer's penalty, without its strength; NaN without one", since=2),
    ),
    "held_out": (
        STEP,
        Column("loss", "double", "mean loss per counted step on the held-out sequences, after `step` updates"),
        Column("accuracy", "double", "share of right most-likely classes; for values: R squared"),
    ),
    "timesteps": (
        STEP,
        *WHERE,
        Column("quantity", "string", "entry of gradviz.quantities"),
        Column("mean", "list<double>", "mean over the batch, per time step; infinities and NaN are kept"),
        Column("low", "list<double>", "10th percentile over the batch"),
        Column("median", "list<double>", "median over the batch"),
        Column("high", "list<double>", "90th percentile over the batch"),
    ),
    "reach": (
        STEP,
        *WHERE,
        Column("mean", "list<double>", REACH),
        Column("low", "list<double>", "log10 of the 10th percentile"),
        Column("median", "list<double>", "log10 of the median"),
        Column("high", "list<double>", "log10 of the 90th percentile"),
        Column("decay", "double", "factor per step back: slope of the log geometric mean from lag 5 on; NaN if it cannot be fitted"),
        Column("decay_low", "double", f"lower end of {INTERVAL}", since=3),
        Column("decay_high", "double", f"upper end of {INTERVAL}", since=3),
        Column("sequences", "double", "how many sequences that interval rests on, those whose own slope can be fitted", since=3),
    ),
    "parameters": (
        STEP,
        Column("parameter", "string", "full name, e.g. layers.0.forward.weight_hh"),
        Column("gate", "string", "block of the parameter, empty if it has none"),
        Column("weight", "double", "norm of the weights before the update"),
        Column("gradient_before", "double", "norm of the gradient before clipping"),
        Column("gradient_after", "double", "norm of the gradient after clipping"),
        Column("update", "double", "norm of the change the optimizer made"),
        Column("ratio", "double", "update divided by weight"),
        Column("distance", "double", "norm of the difference to the weights at the start"),
    ),
    "saturation": (
        STEP,
        *WHERE,
        Column("left", "list<double>", "per unit: share of time steps and examples with activation below 0.1 (below -0.9 for tanh)"),
        Column("right", "list<double>", "per unit: share of time steps and examples with activation above 0.9"),
        Column("mean", "list<double>", "per unit: mean activation"),
    ),
    "probe": (
        STEP,
        *WHERE,
        Column("example", "int16", "which held-out sequence, counted from 0"),
        Column("gradient", "bool", "false: the activation; true: the gradient of the sequence's loss with respect to it"),
        Column("units", "int32", "number of units: `values` has time × units entries, time-major"),
        Column("values", "list<double>", "the whole array, flattened; double, for a gradient may be smaller than a float can say"),
    ),
    "trouble": (
        STEP,
        *WHERE,
        Column("gradient", "bool", "false: the bad value is in the forward pass, true: in the backward pass"),
        Column("time", "int32", "time step of the first bad value, counted from 0; in a backward pass the latest one"),
        Column("example", "int32", "example in the batch"),
        Column("unit", "int32", "unit"),
        Column("value", "string", "nan, inf or -inf"),
    ),
}
