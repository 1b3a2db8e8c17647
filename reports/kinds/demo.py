"""The demo: six networks on text, three on a task whose answer lies far back."""

from collections.abc import Sequence

from gradviz.frames import Run, label_runs
from gradviz.reports.kinds._base import GATES, REACH, READS, WEIGHTS, Kind, Picture, Section, readers


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
                *REACH,
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
                *GATES,
                (Picture("gate_heatmap", _gated(near)), Picture("saturation", near)),
            ),
            *_texts(near),
            Section(
                "lag",
                "The long-lag task",
                "Two marked numbers far back in a noisy sequence must be added at its end: only a gradient that gets there can teach that.",
                (
                    Picture("waterfall", far, slider=True),
                    Picture("film", far),
                    Picture("horizon", far),
                    Picture("loss", far),
                    Picture("gate_heatmap", _gated(far)),
                ),
            ),
            Section(
                "parameters",
                *WEIGHTS,
                (Picture("parameters", near),),
            ),
        ]


def _texts(runs: tuple[Run, ...]) -> list[Section]:
    """Nothing, if no run reads a text."""
    some = readers(runs)
    pictures = tuple(Picture(chart, some) for chart in ("text_unit", "text_probability", "connectivity"))
    return [Section("text", *READS, pictures)] if some else []


def _split(runs: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs whose task states no lag, and those whose task does; never an empty first part."""
    near = label_runs([run for run in runs if run.meta.get("lag") is None])
    far = label_runs([run for run in runs if run.meta.get("lag") is not None])
    return tuple(near or far), tuple(far)


def _gated(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """One run a gated cell, the clipped one: clipping hardly acts on them. Without gated cells all runs, whose states are shown."""
    gated = {run.family: run for run in sorted(runs, key=lambda run: run.clipped) if run.family != "rnn"}
    return tuple(label_runs(list(gated.values()))) or runs
