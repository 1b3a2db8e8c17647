"""What the network does to differences of its state: step by step, direction by direction, and where the state comes to rest."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from gradviz.dashboards import controls, parts, state, waiting
from gradviz.dashboards.views._base import View
from gradviz.frames import Run

MATRICES = {"recurrent weights": "weights", "Jacobian of the last step": "jacobian"}
EVERY_STEP = "The Jacobian of every time step is taken apart."
BLOCKS = "The eigenvalues are computed, before training and now."
EXPONENTS = "All directions of the state are followed through the sequence."
SEARCH = "States are followed, and points at which they rest are searched; this takes longest."


class Dynamics(View):
    order = 7
    title = "Dynamics"
    icon = ":material/cyclone:"
    charts = ("jacobian_fan", "eigenvalues", "lyapunov", "phase")

    def draw(self) -> None:
        runs = state.chosen()
        head, row = st.container(gap="small"), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
        with row:
            example = kept(runs)
            layer = parts.layer_choice(runs)
        fan(runs, example, head, row)
        eigenvalues(runs, example, layer)
        lyapunov(runs, example)
        phase(runs, example, layer)


def kept(runs: Sequence[Run]) -> int:
    """A sequence that was kept of every run."""
    return controls.example(min(runs, key=lambda run: len(run.meta["probe"]["lengths"])))


@st.fragment
def fan(runs: Sequence[Run], example: int, head: Any, row: Any) -> None:
    with row:
        weights = controls.weights(runs)
    waiting.chart("jacobian_fan", runs, EVERY_STEP, head=head, example=example, weights=weights)


@st.fragment
def eigenvalues(runs: Sequence[Run], example: int, layer: int) -> None:
    section = st.container(gap="small")
    said = controls.choice("Of", list(MATRICES), "of")
    options = {"of": MATRICES[said], "example": example, "layer": layer}
    waiting.chart("eigenvalues", runs, BLOCKS, section=section, **options)


@st.fragment
def lyapunov(runs: Sequence[Run], example: int) -> None:
    section = st.container(gap="small")
    steps = int(
        st.number_input(
            "Steps that are read", 20, 2000, 100, step=20, key="lyapunov-steps", bind="query-params", width=180,
            help="more steps make the exponents more certain, and take longer; a tenth of them is warm-up",
        )
    )  # fmt: skip
    waiting.chart("lyapunov", runs, EXPONENTS, section=section, example=example, steps=steps)


@st.fragment
def phase(runs: Sequence[Run], example: int, layer: int) -> None:
    section = st.container(gap="small")
    hint = "that are drawn, from the one chosen above on"
    sequences = int(st.number_input("Sequences", 1, 20, 3, step=1, key="phase-sequences", bind="query-params", width=140, help=hint))
    waiting.chart("phase", runs, SEARCH, section=section, example=example, layer=layer, sequences=sequences)
