"""What the gates do: all units over one sequence, the course of one of them, their saturation, and what they let through."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from gradviz.dashboards import controls, look, parts, reading, show, state, waiting
from gradviz.dashboards.views._base import View
from gradviz.errors import GradvizError
from gradviz.frames import Run

UNIT, TIME = "gate-unit", "time"  # keys
ROWS = "Click a row to follow that unit below; the lines mark the unit and the time step that are chosen."
STEPS = "Click a time step to mark it in both pictures."
WAIT = "The gradient's way through the gates alone is followed through the sequence."


class Gates(View):
    order = 3
    title = "Gates"
    report = "gates"
    icon = ":material/door_open:"
    charts = ("gate_heatmap", "unit_course", "saturation", "highway")

    def draw(self) -> None:
        runs = state.chosen()
        head, row = st.container(gap="small"), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
        with row:
            run = controls.run(runs, next((run for run in runs if reading.points(run, ".gate.")), None))
            example = controls.example(run)
            layer = parts.layer_choice([run])
        linked(runs, run, (example, layer), head, row)
        ledger(runs, example, layer)


@st.fragment
def linked(runs: Sequence[Run], run: Run, place: tuple[int, int], head: Any, row: Any) -> None:
    """Charts that follow each other. place: sequence, layer."""
    example, layer = place
    with row:
        gate = gate_choice(run)
        direction = controls.direction(run, layer)
        step = parts.step_slider(run.probe_steps)
    units, times = size(run, step=step, layer=layer, gate=gate, direction=direction, example=example)
    at = st.container()
    section, sliders = st.container(gap="small"), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with sliders:
        unit = controls.one_of("Unit", len(units), UNIT, "auto", "counted from 0; auto takes the one that varies most over the sequence")
        time = controls.one_of("Time step", times, TIME, "none")
    marked = float(time) if time >= 0 else math.nan
    with at:
        rank = float(units.index(unit) + 1) if unit in units else math.nan
        click = show.Click(rank, to_unit(units), ROWS, "y", across=marked)
        show.chart("gate_heatmap", [run], head=head, click=click, example=example, step=step, layer=layer, gate=gate, direction=direction)
        if example < len(run.answers):
            st.caption(look.plain(f"Answer to this sequence at the end of training, reading its own words: {run.answers[example]}"))
    options = {"example": example, "step": step, "layer": layer, "direction": direction}
    course = show.Click(marked, controls.to_one(TIME), STEPS)
    show.chart("unit_course", [run], section=section, click=course, unit=unit, **options)
    kept = "" if gate in reading.KEEPING else gate  # other cells keep with a gate of another name
    show.chart("saturation", runs, step=step, layer=layer, gate=kept, direction=direction, unit=unit, whose=run.label)


@st.fragment
def ledger(runs: Sequence[Run], example: int, layer: int) -> None:
    waiting.chart("highway", runs, WAIT, section=st.container(gap="small"), example=example, layer=layer)


def size(run: Run, **options: Any) -> tuple[list[int], int]:
    """The units in the order of the heatmap's rows, and how many time steps it has."""
    try:
        frame = show.describe("gate_heatmap", [run], **options).frame
    except GradvizError:
        return [], 0
    return [int(unit) for unit in frame.drop_duplicates("rank").sort_values("rank")["unit"]], int(frame["time"].nunique())


def to_unit(units: Sequence[int]) -> Callable[[float], None]:
    """What a click in a row of the heatmap does."""

    def move(row: float) -> None:
        controls.to_one(UNIT)(units[min(max(round(row) - 1, 0), len(units) - 1)])

    return move


def gate_choice(run: Run) -> str:
    gates = reading.points(run, ".gate.")
    if not gates:
        return ""
    first = next((gate for gate in gates if gate in reading.KEEPING), gates[0])
    return str(controls.choice("Gate", gates, "gate", first))
