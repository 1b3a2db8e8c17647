"""How weights, gradients and updates of each parameter grow."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from gradviz.charts.parameters import NAMES
from gradviz.dashboards import parts, show, state
from gradviz.dashboards.views._base import View
from gradviz.frames import Run

FIRST = "weight_hh"


class Parameters(View):
    order = 6
    title = "Parameters"
    icon = ":material/tune:"
    charts = ("parameters",)

    def draw(self) -> None:
        chosen(state.chosen())


@st.fragment
def chosen(runs: Sequence[Run]) -> None:
    head = st.container(gap="small")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        by_name = {NAMES[measure]: measure for measure in measured(runs)}
        measure = by_name[st.selectbox("What to draw", list(by_name), key="measure", bind="query-params", width=280)]
        options: dict[str, Any] = {"measure": measure, "parameter": parameter_choice(runs)}
        if not options["parameter"].startswith(("readout", "embedding")):
            options["layer"] = parts.layer_choice(runs)
    show.chart("parameters", runs, head=head, **options)


def measured(runs: Sequence[Run]) -> list[str]:
    """What there is to draw: of an imported log perhaps the norms of gradients alone."""
    holding = [run for run in runs if len(run.parameters)]
    return [measure for measure in NAMES if any(measure not in run.unmeasured for run in holding)] or list(NAMES)


def parameter_choice(runs: Sequence[Run]) -> str:
    """What the parameters of these runs are called, layers aside: weight_hh, bias, readout.weight …"""
    full = dict.fromkeys(name for run in runs for name in run.parameters["parameter"].unique())
    names = list(dict.fromkeys(name.rsplit(".", 1)[-1] if name.startswith("layers.") else name for name in full))
    if not names:
        return FIRST
    at = names.index(FIRST) if FIRST in names else 0
    return str(st.selectbox("Parameter", names, at, key="parameter", bind="query-params", width=200))
