"""All runs at a glance: the worst verdicts, a table with sparklines, and the loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from gradviz.dashboards import parts, show, state
from gradviz.dashboards.views._base import View
from gradviz.findings import ORDER, Verdict
from gradviz.findings._summary import headline, row
from gradviz.frames import Run

CARDS = 3
POINTS = 60  # of a sparkline


class Overview(View):
    order = 1
    title = "Overview"
    icon = ":material/table_rows:"

    def draw(self) -> None:
        found = state.shelf()
        verdicts = {run.label: headline(run) for run in found.runs}
        st.title(show.plain(claim(verdicts)), anchor=False)
        st.caption(show.plain(setting(found)))
        parts.broken(found)
        cards(verdicts)
        st.header("All runs", anchor=False)
        table(found.runs, verdicts)
        show.chart("loss", state.chosen())


def claim(verdicts: dict[str, Verdict]) -> str:
    """How many runs are ill, in one sentence that is true of the table below it."""
    count = {severity: sum(verdict.severity == severity for verdict in verdicts.values()) for severity in ORDER}
    total = f"{len(verdicts)} run{'s' if len(verdicts) > 1 else ''}"
    if count["critical"]:
        return f"{count['critical']} of {total} {'are' if count['critical'] > 1 else 'is'} in trouble"
    if count["warning"]:
        return f"{count['warning']} of {total} {'deserve' if count['warning'] > 1 else 'deserves'} a second look"
    return f"Nothing is wrong with {'these' if len(verdicts) > 1 else 'this'} {total}"


def setting(found: state.Shelf) -> str:
    units = sorted({int(run.meta["experiment"]["model"]["units"]) for run in found.runs})
    updates = sorted({int(run.meta["updates_done"]) for run in found.runs})
    return f"Tasks: {', '.join(found.tasks)}. {span(units)} units, {span(updates)} training steps, recorded in {state.folder()}."


def span(values: Sequence[int]) -> str:
    return str(values[0]) if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def cards(verdicts: dict[str, Verdict]) -> None:
    """The most severe verdicts, each with one run that shows it; runs that earned the same one are named together."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for label, verdict in sorted(verdicts.items(), key=lambda pair: ORDER.index(pair[1].severity)):
        groups.setdefault((verdict.code, verdict.severity, verdict.word), []).append(label)
    worst = [group for group in groups.values() if verdicts[group[0]].severity != "none"][:CARDS]
    if not worst:
        return
    for column, labels in zip(st.columns(len(worst), gap="medium"), worst, strict=True):
        verdict = verdicts[labels[0]]
        with column.container(border=True, height="stretch"):
            st.markdown(show.chip(verdict.severity, verdict.word))
            others = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
            st.markdown(f"**{show.plain(labels[0])}**{others}  \n{show.plain(verdict.summary)}")
            parts.evidence(verdict, labels[0], "Evidence")


def table(runs: Sequence[Run], verdicts: dict[str, Verdict]) -> None:
    frame = pd.DataFrame([line(run, verdicts[run.label]) for run in runs])
    words = {chip_text(verdict): show.COLOURS[verdict.severity] for verdict in verdicts.values()}
    coloured = frame.style.map(lambda text: f"color: {ink_of(text)}; font-weight: 600", subset=["Run"])
    picked = st.dataframe(
        coloured, hide_index=True, placeholder="–", key="table", on_select="rerun", selection_mode="multi-row", row_height=42, height="content", column_config=columns(frame, words)
    )
    rows = picked["selection"]["rows"]
    compare([runs[index] for index in rows])


def chip_text(verdict: Verdict) -> str:
    return f"{show.theme.TOKENS['severity'][verdict.severity]['glyph']} {verdict.word}"


def ink_of(text: str) -> str:
    """The colour of the run's cell, told from the glyph before its label."""
    colours = show.theme.TOKENS[show.viewer()]
    family = next((name for name, cell in show.theme.TOKENS["cell"].items() if text.startswith(cell["glyph"])), "ink")
    return str(colours[family])


def line(run: Run, verdict: Verdict) -> dict[str, Any]:
    numbers = row(run)
    glyph = show.theme.TOKENS["cell"].get(run.family, {"glyph": "○"})["glyph"]
    return {
        "Run": f"{glyph} {run.label}",
        "Finding": [chip_text(verdict)],
        "Loss": numbers["loss"],
        "Loss over training": spark(run.steps["loss"].to_numpy()),
        "Half-life": numbers["half_life"] if math.isfinite(numbers["half_life"]) else None,
        "Shortened": 100 * numbers["clipped"] if run.clipped else None,
    }


def spark(values: Any) -> list[float]:
    """At most POINTS finite values, each the mean of its stretch of training."""
    finite = values[np.isfinite(values)]
    return [float(part.mean()) for part in np.array_split(finite, min(POINTS, len(finite)))] if len(finite) else []


def columns(frame: pd.DataFrame, words: dict[str, str]) -> dict[str, Any]:
    config = st.column_config
    return {
        "Run": config.TextColumn(width=200),
        "Finding": config.MultiselectColumn(options=list(words), color=list(words.values()), width=150),
        "Loss": config.NumberColumn(format="%.3g", width=70, help="mean of the last 20 training steps, in nats or as squared error"),
        "Loss over training": config.LineChartColumn(width=170, color="gray"),
        "Half-life": config.NumberColumn("Half-life, steps", format="%.1f", width=115, help="steps back until the gradient has halved, at the end of training; – if it does not fade"),
        "Shortened": config.NumberColumn(format="%.0f %%", width=95, help="share of training steps in which clipping acted; – if there was none"),
    }


def compare(runs: Sequence[Run]) -> None:
    """The button below the table. Runs of different tasks have different losses: they are not compared."""
    tasks = {state.task_of(run) for run in runs}
    ready = len(runs) > 1 and len(tasks) == 1
    with st.container(horizontal=True, vertical_alignment="center"):
        labels = [run.label for run in runs]
        pressed = st.button("Compare the chosen runs", type="primary", disabled=not ready, on_click=take, args=(labels, "".join(tasks)))
        if not ready:
            st.caption("Choose runs of one task to compare." if len(tasks) > 1 else "Choose two or more rows to compare.")
    if pressed:
        st.switch_page(st.session_state["pages"]["compare"])


def take(labels: list[str], task: str) -> None:
    st.session_state["runs"] = labels
    st.session_state["task"] = task
