"""Two or more runs side by side: the settings that differ, and what followed from them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from gradviz.dashboards import look, parts, show, state
from gradviz.dashboards.views._base import View
from gradviz.frames import Run


class Compare(View):
    order = 8
    title = "Compare"
    icon = ":material/compare_arrows:"
    charts = ("status",)

    def draw(self) -> None:
        runs = state.chosen()
        if len(runs) < 2:
            st.title("A comparison needs two runs", anchor=False)
            st.markdown("Choose two or more runs in the sidebar, or none to compare all of this task.")
            return
        differing = differences(runs)
        st.title(look.plain(headline(runs, differing)), anchor=False)
        if len(differing):
            st.caption("The settings that differ; all others are the same.")
            st.dataframe(differing, placeholder="–", height="content", column_config={"_index": st.column_config.TextColumn(width=230)})
        show.chart("loss", runs)
        steps = sorted({step for run in runs for step in run.reach_steps})
        step = parts.step_slider(steps)
        show.chart("waterfall", runs, step=step)
        show.chart("status", runs)


def headline(runs: Sequence[Run], differing: pd.DataFrame) -> str:
    count = f"{len(runs)} runs"
    if not len(differing):
        return f"{count} with the same settings"
    names = [str(name).replace(".", " ") for name in differing.index]
    if len(names) > 3:
        return f"{count} that differ in {len(names)} settings"
    return f"{count} that differ in {' and '.join(', '.join(names).rsplit(', ', 1))}"


def differences(runs: Sequence[Run]) -> pd.DataFrame:
    """Settings by run, one row a setting, only those whose values are not all the same."""
    settings = {run.label: flat(run.meta["experiment"]) for run in runs}
    names = list(dict.fromkeys(name for values in settings.values() for name in values if name != "name"))
    rows = {name: [settings[run.label].get(name, "–") for run in runs] for name in names}
    kept = {name: values for name, values in rows.items() if len(set(values)) > 1}
    return pd.DataFrame.from_dict(kept, orient="index", columns=[run.label for run in runs]).rename_axis("setting").astype(str)


def flat(values: dict[str, Any], before: str = "") -> dict[str, str]:
    """{"model": {"cell": {"name": "rnn"}}} becomes {"model.cell": "rnn"}; training and model are left out of the names."""
    found: dict[str, str] = {}
    for name, value in values.items():
        where = before if name == "name" and before else f"{before}.{name}" if before else name
        found |= flat(value, where) if isinstance(value, dict) else {where: str(value)}
    return found
