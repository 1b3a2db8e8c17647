"""All runs at a glance: the worst verdicts, a table with sparklines, and the loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from gradviz.backends import theme
from gradviz.dashboards import look, parts, show, state, trainings, waiting
from gradviz.dashboards.views._base import View
from gradviz.dynamics.decay import half_life
from gradviz.findings import ORDER, Verdict
from gradviz.frames import Run

Judged = Sequence[tuple[Run, Verdict]]
CARDS = 3
POINTS = 60  # of a sparkline
TOP = 50.0  # steps: a half-life from here on, or none at all, is drawn at the top of its sparkline


class Overview(View):
    order = 1
    title = "Overview"
    icon = ":material/table_rows:"

    def runs(self) -> Sequence[Run]:
        """Those that are chosen; of all tasks if none is."""
        return state.chosen() if st.session_state.get("runs") else state.shelf().runs

    def draw(self) -> None:
        found = state.shelf()
        with waiting.judging(found.runs):
            judged = [(run, state.headline_of(run)) for run in found.runs]
        verdicts = sorted(judged, key=lambda pair: ORDER.index(pair[1].severity))
        st.title(look.plain(claim([verdict.severity for _, verdict in verdicts])), anchor=False)
        st.caption(look.plain(setting(found)))
        parts.broken(found)
        cards(verdicts, len(found.tasks) > 1)
        st.header("All runs", anchor=False)
        table(verdicts, len(found.tasks) > 1)
        show.chart("loss", state.chosen())


def claim(severities: Sequence[str]) -> str:
    """How many runs are ill, in one sentence that is true of the table below it."""
    total = f"{len(severities)} run{'s' if len(severities) > 1 else ''}"
    critical, warning = severities.count("critical"), severities.count("warning")
    if critical:
        return f"{critical} of {total} {'are' if critical > 1 else 'is'} in trouble"
    if warning:
        return f"{warning} of {total} {'deserve' if warning > 1 else 'deserves'} a second look"
    return f"Nothing is wrong with {f'these {total}' if len(severities) > 1 else 'this run'}"


def setting(found: state.Shelf) -> str:
    units = sorted({int(run.meta["experiment"]["model"]["units"]) for run in found.runs})
    updates = sorted({int(run.meta["updates_done"]) for run in found.runs})
    size = f"{span(units)} units, " if units != [0] else ""  # of imported runs nobody knows
    return f"Tasks: {', '.join(found.tasks)}. {size}{span(updates)} training steps, recorded in {state.folder()}."


def span(values: Sequence[int]) -> str:
    return str(values[0]) if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def cards(verdicts: Judged, several: bool) -> None:
    """The most severe of the verdicts, which come first, each with one run that shows it; runs that earned the same one are counted."""
    groups: dict[tuple[str, str, str], list[tuple[Run, Verdict]]] = {}
    for run, verdict in verdicts:
        groups.setdefault((verdict.code, verdict.severity, verdict.word), []).append((run, verdict))
    worst = [group for (_, severity, _), group in groups.items() if severity != "none"][:CARDS]
    if not worst:
        return
    for column, group in zip(st.columns(len(worst), gap="medium"), worst, strict=True):
        run, verdict = group[0]
        with column.container(border=True, height="stretch"):
            st.markdown(look.chip(verdict.severity, verdict.word))
            where = f" ({state.task_of(run)})" if several else ""
            others = f" and {len(group) - 1} more" if len(group) > 1 else ""
            st.markdown(f"**{look.plain(run.label)}**{look.plain(where)}{others}  \n{look.plain(verdict.summary)}")
            parts.evidence(verdict, run, "Evidence")


def table(verdicts: Judged, several: bool) -> None:
    frame = pd.DataFrame([line(run, verdict) for run, verdict in verdicts])
    picked = st.dataframe(
        frame.style.map(lambda text: f"color: {ink_of(text)}; font-weight: 600", subset=["Run"]),
        hide_index=True,
        placeholder="–",
        key="table",
        on_select="rerun",
        selection_mode="multi-row",
        row_height=42,
        height="content",
        column_order=[name for name in map(str, frame) if several or name != "Task"],
        column_config=columns(chips(verdicts)),
    )
    compare([verdicts[index][0] for index in picked["selection"]["rows"]])


def chips(verdicts: Judged) -> dict[str, str]:
    """Every chip that the table shows, with its colour."""
    colours = {look.chip_text(verdict.severity, verdict.word): look.COLOURS[verdict.severity] for _, verdict in verdicts}
    return colours | {text: "gray" for run, _ in verdicts for text in unfinished(run)}


def glyph_of(run: Run) -> str:
    cell = theme.TOKENS["cell"].get(run.family)
    return str(cell["glyph"]) if cell else "○"


def ink_of(text: str) -> str:
    """The colour of the run's cell, told from the glyph before its label."""
    family = next((name for name, cell in theme.TOKENS["cell"].items() if text.startswith(cell["glyph"])), "ink")
    return theme.colour(family, look.viewer())


def line(run: Run, verdict: Verdict) -> dict[str, Any]:
    numbers = state.row_of(run)
    return {
        "Run": f"{glyph_of(run)} {run.label}",
        "Task": state.task_of(run),
        "Finding": [*unfinished(run), look.chip_text(verdict.severity, verdict.word)],
        "Loss": numbers["loss"],
        "Loss over training": spark(run.steps["loss"]),
        "Half-life": steps(numbers["half_life"]),
        "Half-life over training": half_lives(run),
        "Shortened": 100 * numbers["share_clipped"],
        "Folder": folder_of(run),
    }


def folder_of(run: Run) -> str:
    """Where the run lies, below the folder of runs."""
    top = state.folder()
    return str(run.path.relative_to(top)) if run.path.is_relative_to(top) and run.path != top else run.path.name


def unfinished(run: Run) -> list[str]:
    now = trainings.standing(run)
    return [] if now == "finished" else [trainings.CHIPS[now][1] if now in trainings.CHIPS else now]


def steps(half_life: float) -> str | None:
    return None if np.isnan(half_life) else "∞" if np.isinf(half_life) else f"{half_life:.1f}"


def spark(values: pd.Series) -> list[float]:
    """At most POINTS values, each the mean of the finite ones in its stretch of training."""
    finite = values[np.isfinite(values)].to_numpy()
    return [float(part.mean()) for part in np.array_split(finite, min(POINTS, len(finite)))] if len(finite) else []


def half_lives(run: Run) -> list[float]:
    """Of the state that reaches furthest back, at each recorded step; at most TOP."""
    decays = run.table("reach").groupby("step")["decay"].max().dropna()
    return [min(half_life(decay), TOP) for decay in decays]


def columns(words: dict[str, str]) -> dict[str, Any]:
    config = st.column_config
    half = "steps back until the gradient has halved, at the end of training; ∞: it does not fade"
    over = f"the same at every recorded step; at the top: {TOP:g} steps and more, or no fading at all"
    return {
        "Run": config.TextColumn(width=165),
        "Task": config.TextColumn(width=70),
        "Finding": config.MultiselectColumn(options=list(words), color=list(words.values()), width=130),
        "Loss": config.NumberColumn(format="%.3g", width=74, help="mean of the last 20 training steps, in nats or as squared error"),
        "Loss over training": config.LineChartColumn(width=132, color="gray"),
        "Half-life": config.TextColumn("Half-life, steps", alignment="right", width=112, help=half),
        "Half-life over training": config.LineChartColumn(y_min=0, y_max=TOP, width=150, color="gray", help=over),
        "Shortened": config.NumberColumn(
            format="%.0f %%", width=86, help="share of training steps in which clipping acted; – without clipping"
        ),
        "Folder": config.TextColumn(width=108, help="where the run lies, below the folder of runs"),
    }


def compare(runs: Sequence[Run]) -> None:
    """The link below the table. Runs of different tasks have different losses: they are not compared."""
    tasks = {state.task_of(run) for run in runs}
    ready = len(runs) > 1 and len(tasks) == 1
    chosen = {"task": next(iter(tasks)), "runs": [run.label for run in runs]} if ready else {}
    with st.container(horizontal=True, vertical_alignment="center"):
        page = st.session_state["pages"]["compare"]
        st.page_link(page, label="Compare the chosen runs", disabled=not ready, query_params=chosen)
        if not ready:
            st.caption("Choose runs of one task to compare." if len(tasks) > 1 else "Choose two or more rows to compare.")
