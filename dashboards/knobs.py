"""Controls made from the settings of a play, each bound to the address."""

from collections.abc import Mapping
from dataclasses import Field
from typing import Any

import streamlit as st

from gradviz.lessons import Play, controls, values

WIDE = 260  # pixels
LONG = 30  # letters of all choices together, above which they may have to flow


def knobs(play: type[Play], prefix: str, start: Mapping[str, Any]) -> dict[str, Any]:
    """One control a setting, side by side while there is room; the values chosen. start: what stands there at first."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        return {name: _knob(item, key(prefix, name), start.get(name, item.default)) for name, item in controls(play).items()}


def key(prefix: str, name: str) -> str:
    return f"{prefix}-{name}"


def turn(play: type[Play], prefix: str, settings: Mapping[str, Any]) -> None:
    """Set every control of a play; to be called before they are drawn."""
    for name, item in controls(play).items():
        st.session_state[key(prefix, name)] = settings.get(name, item.default)


def _knob(item: Field[Any], at: str, value: Any) -> Any:
    meta = item.metadata
    label, help = meta["label"], meta["help"] or None
    if meta["choices"]:
        show = st.pills if sum(map(len, meta["choices"])) > LONG else st.segmented_control
        return show(label, meta["choices"], default=value, required=True, key=at, help=help, bind="query-params") or value
    if isinstance(value, bool):
        return st.toggle(label, value, key=at, help=help, bind="query-params")
    if isinstance(value, str):
        return st.text_input(label, value, key=at, help=help, bind="query-params", width=WIDE)
    if meta["step"] == 0:
        return st.select_slider(label, values(item), value, key=at, help=help, bind="query-params", width=WIDE)
    return st.slider(label, meta["low"], meta["high"], value, meta["step"], key=at, help=help, bind="query-params", width=WIDE)
