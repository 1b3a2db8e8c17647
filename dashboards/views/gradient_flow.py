"""How far back the gradient reaches: the profile of one training step, its film over training, and every loss against every state."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from gradviz.dashboards import controls, look, parts, show, state, waiting
from gradviz.dashboards.views._base import View
from gradviz.errors import GradvizError
from gradviz.frames import Run

ORDER = ("grows", "stays level", "fades", "has no measurable pace")
LEVEL = 0.005  # a factor this close to 1: over 100 steps back the norm changes less than twofold
FILM = "Click a column to see the profile of that training step above. The lines mark the training step and the steps back that are chosen."
PROFILE = "Click a number of steps back to mark it in all pictures of this page."
WAIT = "The loss of every step is taken back to every state of the sequence."
ROWS = "Click a row to look at the loss of that step alone; in the picture below it, click a step to mark it in all pictures of this page."


class GradientFlow(View):
    order = 2
    title = "Gradient flow"
    report = "vanishing"
    icon = ":material/waterfall_chart:"
    charts = ("waterfall", "film", "gradient_matrix", "decay", "horizon")

    def draw(self) -> None:
        runs = state.chosen()
        head, row = st.container(gap="small"), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
        steps = sorted({step for run in runs for step in run.reach_steps})
        with row:
            layer, place = parts.layer_choice(runs), st.container(width="content")
            back = controls.number("Steps back", longest(runs), "back", "from the loss to the state whose gradient is looked at")
        if steps:
            profile(runs, (layer, back), head, place)
            show.chart("film", runs, click=show.Click(math.nan, parts.nearest(steps), FILM), layer=layer)
        else:
            show.chart("waterfall", runs, head=head, layer=layer)
            show.chart("film", runs, layer=layer)
        one_sequence(runs, layer, back)
        show.chart("decay", runs, layer=layer)
        show.chart("horizon", runs, layer=layer)


@st.fragment
def profile(runs: Sequence[Run], chosen: tuple[int, int], head: Any, place: Any) -> None:
    """One training step: its profile, and the lines that mark it in the film. The slider, in `place`, draws nothing else again.
    chosen: layer, steps back."""
    layer, back = chosen
    follow(back)
    steps = sorted({step for run in runs for step in run.reach_steps})
    with place:
        step = parts.step_slider(steps)
    at, marked = steps[-1] if step < 0 else step, float(back) if back else math.nan
    head.title(look.plain(headline(runs, at, layer)), anchor=False)
    if back:
        head.caption(look.plain(reading(runs, step, layer, back)))
    show.chart("waterfall", runs, click=show.Click(marked, controls.setter("back"), PROFILE), step=step, layer=layer)
    show.marks("film", runs, show.Click(at, parts.nearest(steps), across=marked), layer=layer)


def follow(back: int) -> None:
    """A click has chosen another number of steps back, which all pictures of the page mark."""
    if st.session_state.get("back", back) != back:
        st.rerun()


@st.fragment
def one_sequence(runs: Sequence[Run], layer: int, back: int) -> None:
    """The gradient matrix of one run, and of one loss in it."""
    follow(back)
    section, row = st.container(gap="small"), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        run = controls.run(runs)
        options = {"layer": layer if layer < run.layers else -1, "example": controls.example(run)}
    with waiting.waiting((*options.items(), state.key_of([run])), "gradient_matrix", WAIT):
        count = losses(run, options)
    with row:
        token = controls.one_of("Loss at step", count if count > 1 else 0, "token", "all", "one loss by itself, or all of them")
    place = float(token - back) if 0 < back <= token else math.nan
    lower = show.Click(place, lambda at: controls.setter("back")(max(token - at, 0.0)))
    click = show.Click(float(token) if token >= 0 else math.nan, controls.to_one("token"), ROWS, "y", lines=lower)
    show.chart("gradient_matrix", [run], section=section, click=click if count > 1 else None, token=token, **options)


def losses(run: Run, options: dict[str, int]) -> int:
    """How many losses the sequence has, each at a step; 0 if they cannot be had, which the chart tells."""
    try:
        return int(show.describe("gradient_matrix", [run], token=-1, **options).frame["loss"].nunique())
    except GradvizError:
        return 0


def longest(runs: Sequence[Run]) -> int:
    """The most steps back at which any of the runs measured a gradient; 0 if none did."""
    return max((int(run.reach["lag"].max()) for run in runs if run.reach_steps), default=0)


def reading(runs: Sequence[Run], step: int, layer: int, back: int) -> str:
    """The numbers behind the mark: the norm this many steps back, and the share of the norm at the loss that is left there."""
    frame = show.describe("waterfall", runs, step=step, layer=layer).frame
    now = frame[frame["when"] == "now"].set_index(["run", "lag"])["mean"]
    said = []
    for run in runs:
        if (run.label, back) in now.index:
            norm, first = float(now[run.label, back]), float(now[run.label, 0])
            said.append(f"{run.label} {spelled(norm)} ({spelled(norm - first)} of that at the loss)")
    return f"Gradient norm {back} steps back: {'; '.join(said) or 'not recorded'}."


def spelled(power: float) -> str:
    """A number given by its log10."""
    if np.isnan(power):
        return "not a number"
    if np.isinf(power):
        return "0" if power < 0 else "∞"
    return f"{10**power:.3g}" if -300 < power < 300 else f"10^{power:.1f}"


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
    steps, layers, decays = (table[name].to_numpy() for name in ("step", "layer", "decay"))
    wanted = (steps <= step) & (layers == (layers.max(initial=0) if layer < 0 else layer))
    latest = decays[wanted & (steps == steps.max(where=wanted, initial=-1))]
    return float(np.fmax.reduce(latest, initial=math.nan))


def way(decay: float) -> str:
    if np.isnan(decay):
        return ORDER[3]
    return ORDER[1] if abs(decay - 1) <= LEVEL else ORDER[0] if decay > 1 else ORDER[2]
