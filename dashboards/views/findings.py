"""Every verdict with its rule, its numbers, what it means and what to try."""

import pandas as pd
import streamlit as st

from gradviz.backends import theme
from gradviz.dashboards import look, parts, state, waiting
from gradviz.dashboards.views._base import View
from gradviz.findings import FINDINGS, ORDER, Verdict
from gradviz.frames import Run

SHOWN_AT_FIRST = ["critical", "warning", "note"]
MOST_ROWS = 2000  # of a table: what is behind an expander is sent to the browser with the page


class Findings(View):
    order = 9
    title = "Findings"
    icon = ":material/fact_check:"

    def draw(self) -> None:
        runs = state.chosen()
        with waiting.judging(runs):
            said = [(verdict, run) for run in runs for verdict in state.verdicts_of(run)]
        said.sort(key=lambda pair: ORDER.index(pair[0].severity))
        st.title(look.plain(headline(runs, said)), anchor=False)
        st.caption(f"{len(FINDINGS)} rules, each asked of {len(runs)} run{'s' if len(runs) > 1 else ''}. Open one to see its numbers.")
        kinds = {word(severity): severity for severity in ORDER}
        first = [word(severity) for severity in SHOWN_AT_FIRST]
        picked = st.pills("Show", list(kinds), selection_mode="multi", default=first, key="severity", bind="query-params")
        wanted = [kinds[text] for text in picked]
        shown = [(verdict, run) for verdict, run in said if verdict.severity in wanted]
        for verdict, run in shown:
            card(verdict, run)
        if not shown:
            st.markdown("No verdict of this kind. Choose more kinds above.")


def word(severity: str) -> str:
    return look.chip_text(severity, theme.TOKENS["severity"][severity]["word"])


def headline(runs: list[Run], said: list[tuple[Verdict, Run]]) -> str:
    ill = {run.label for verdict, run in said if verdict.severity in ("critical", "warning")}
    if not ill:
        return f"No rule warns of {'these runs' if len(runs) > 1 else 'this run'}"
    return f"{len(ill)} of {len(runs)} run{'s' if len(runs) > 1 else ''} {'need' if len(ill) > 1 else 'needs'} attention"


def card(verdict: Verdict, run: Run) -> None:
    with st.expander(f"{look.chip(verdict.severity, verdict.word)} **{look.plain(run.label)}**: {look.plain(verdict.summary)}"):
        st.markdown(f"**Rule.** {look.plain(FINDINGS[verdict.code].rule)}")
        if verdict.numbers:
            values = [f"{value:.4g}".replace("inf", "∞").replace("-", "−") for value in verdict.numbers.values()]
            numbers = pd.DataFrame({"number": [name.replace("_", " ") for name in verdict.numbers], "value": values})
            st.dataframe(numbers, hide_index=True, width="content", height="content")
        for heading, text in (("What it means", verdict.meaning), ("What to try", verdict.remedy), ("Source", verdict.source)):
            if text:
                st.markdown(f"**{heading}.** {look.plain(text)}")
        if len(verdict.rows):
            count = f"The first {MOST_ROWS:,} of {len(verdict.rows):,} rows" if len(verdict.rows) > MOST_ROWS else "The rows"
            st.markdown(f"**{count} behind it.**")
            st.dataframe(verdict.rows.head(MOST_ROWS), hide_index=True, placeholder="–")
        parts.evidence(verdict, run, "See it drawn")
