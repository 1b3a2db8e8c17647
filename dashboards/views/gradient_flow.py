"""How far back the gradient reaches: the profile of one training step, and its film over training."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from gradviz.dashboards import look, parts, show, state
from gradviz.dashboards.views._base import View
from gradviz.frames import Run

ORDER = ("grows", "stays level", "fades", "has no measurable pace")
LEVEL = 0.005  # a factor this close to 1: over 100 steps back the norm changes less than twofold


class GradientFlow(View):
    order = 2
    title = "Gradient flow"
    report = "vanishing"
    icon = ":material/waterfall_chart:"
    charts = ("waterfall", "film", "decay", "horizon")

    def draw(self) -> None:
        runs = state.chosen()
        steps = sorted({step for run in runs for step in run.reach_steps})
        head = st.container(gap="small")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            step = parts.step_slider(steps)
            layer = parts.layer_choice(runs)
        if steps:
            head.title(look.plain(headline(runs, steps[-1] if step < 0 else step, layer)), anchor=False)
        show.chart("waterfall", runs, head=None if steps else head, step=step, layer=layer)
        if steps:
            click = show.Click(steps[-1] if step < 0 else step, parts.nearest(steps))
            show.chart("film", runs, click=click, layer=layer)
        else:
            show.chart("film", runs, layer=layer)
        show.chart("decay", runs, layer=layer)
        show.chart("horizon", runs, layer=layer)


def headline(runs: Sequence[Run], step: int, layer: int = -1) -> str:
    """What the gradient of the last time step's loss does on its way back, at this training step."""
    ways = [way(decay_at(run, step, layer)) for run in runs]
    if len(runs) == 1:
        return f"At training step {step} the gradient {ways[0]} on its way back"
    said = [f"{name} in {ways.count(name)}" for name in dict.fromkeys(sorted(ways, key=ORDER.index))]
    first, *rest = said
    return f"At training step {step} the gradient " + " and ".join(", ".join([f"{first} of {len(runs)} runs", *rest]).rsplit(", ", 1))


def decay_at(run: Run, step: int, layer: int) -> float:
    """Factor per step back of the state that reaches furthest (an LSTM has two), as last recorded by this training step.
    layer -1: the last."""
    table = run.table("reach")
    wanted = table["layer"].max() if layer < 0 else layer
    earlier = table[(table["step"] <= step) & (table["layer"] == wanted)]
    latest = earlier[earlier["step"] == earlier["step"].max()]
    return float(latest["decay"].max()) if len(latest) else float("nan")


def way(decay: float) -> str:
    if np.isnan(decay):
        return ORDER[3]
    return ORDER[1] if abs(decay - 1) <= LEVEL else ORDER[0] if decay > 1 else ORDER[2]
