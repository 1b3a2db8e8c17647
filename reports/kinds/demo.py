"""The demo: six networks on text, three on a task whose answer lies far back."""

from collections.abc import Sequence

from gradviz.frames import Run, label_runs
from gradviz.reports.kinds._base import Kind, Picture, Section


class Demo(Kind):
    """Runs whose task states a lag belong to the long-lag section, all others to the sections before it."""

    label = "demo report"
    purpose = "the story of the demo runs: exploding, clipped, vanishing and remembering networks"

    def key(self, runs: Sequence[Run]) -> Picture:
        near, _ = _split(runs)
        return Picture("waterfall", near, slider=True)

    def sections(self, runs: Sequence[Run]) -> list[Section]:
        near, far = _split(runs)
        return [
            Section(
                "reach",
                "How far back the gradient reaches",
                "A network can only learn that an early step matters if the loss at the end still moves the state back then.",
                (Picture("film", near), Picture("decay", near)),
            ),
            Section(
                "clipping",
                "What clipping changes",
                "Clipping shortens a gradient that is longer than the threshold and keeps its direction; it should be the exception.",
                (Picture("clip_ledger", near), Picture("loss", near)),
            ),
            Section(
                "gates",
                "What the gates do",
                "In both gated cells one gate says how much of the old state survives a step: the forget gate of the LSTM, the share kept of the GRU.",
                (Picture("gate_heatmap", _gated(near)), Picture("saturation", near)),
            ),
            Section(
                "lag",
                "The long-lag task",
                "Two marked numbers far back in a noisy sequence must be added at its end: only a gradient that gets there can teach that.",
                (Picture("waterfall", far, slider=True), Picture("film", far), Picture("horizon", far), Picture("loss", far), Picture("gate_heatmap", _gated(far))),
            ),
            Section(
                "parameters",
                "What reaches the weights",
                "The optimizer turns gradients into updates; an update should be a small share of the weights it changes.",
                (Picture("parameters", near),),
            ),
        ]


def _split(runs: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs whose task states no lag, and those whose task does; never an empty first part."""
    near = label_runs([run for run in runs if run.meta.get("lag") is None])
    far = label_runs([run for run in runs if run.meta.get("lag") is not None])
    return tuple(near or far), tuple(far)


def _gated(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """One run a gated cell, the clipped one: clipping hardly acts on them. Without gated cells all runs, whose states are shown."""
    gated = {run.family: run for run in sorted(runs, key=lambda run: run.clipped) if run.family != "rnn"}
    return tuple(label_runs(list(gated.values()))) or runs
