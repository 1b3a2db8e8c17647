"""A figure that says in itself what a page would say around it: title, subtitle and key above, how to read it below."""

import base64
from typing import Any

import numpy as np

from gradviz.backends import _key
from gradviz.backends._text import printable, wrap
from gradviz.backends.plotly._escape import escape
from gradviz.backends.theme import Theme, colour
from gradviz.charts._description import Description

Block = tuple[str, int, str]  # lines of a text, its size in pixels, the name of its colour


def tell(found: dict[str, Any], description: Description, width: float, theme: Theme) -> dict[str, Any]:
    """The figure `found`, `width` pixels wide, with the words of its description. Colours stay "@name"."""
    layout = dict(found["layout"])
    margin = layout["margin"]
    room = width - 24
    above = [_block("<b>{}</b>", description.title, 17, "ink", room), _block("{}", description.subtitle, 13, "muted", room)]
    below = [_block("<b>What to look for.</b> {}", description.look_for, 13, "ink", room)]
    key = "   ".join(
        f'<span style="color:{colour(name, theme)}">{letters}</span> {escape(text)}' for letters, name, text in _key.samples(description)
    )
    above += [(key, 13, "muted")] if key else []
    lift, drop = _height(above), _height(below)
    inner = layout["height"] - margin["t"] - margin["b"]
    words = _stacked(above, (inner + margin["t"] + lift - 10) / inner, inner, width, margin["l"])
    words += _stacked(below, (-margin["b"] - 10) / inner, inner, width, margin["l"])
    layout |= {
        "height": layout["height"] + lift + drop,
        "margin": {**margin, "t": margin["t"] + lift, "b": margin["b"] + drop},
        "annotations": [*layout["annotations"], *words],
    }
    return {"data": [_plain(trace) for trace in found["data"]], "layout": layout}


def _block(frame: str, text: str, size: int, ink: str, room: float) -> Block:
    lines = escape(wrap(printable(text), room, 0.9 * size, lines=12))
    return (frame.format(lines) if lines else "", size, ink)


def _lines(text: str) -> int:
    return text.count("<br>") + 1 if text else 0


def _height(blocks: list[Block]) -> int:
    """Pixels that the blocks take, with what stands between them."""
    return sum(round(1.3 * size * _lines(text)) + 8 for text, size, _ in blocks if text) + 10


def _stacked(blocks: list[Block], top: float, inner: float, width: float, left: float) -> list[dict[str, Any]]:
    """Annotations below each other, from `top` (in heights of the plotting area) on."""
    made: list[dict[str, Any]] = []
    for text, size, ink in blocks:
        if not text:
            continue
        place = {"xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "top", "xshift": 12 - left}
        font = {"size": size, "color": f"@{ink}"}
        made.append({"text": text, "showarrow": False, "align": "left", "font": font, "borderpad": 0, **place})
        top -= (round(1.3 * size * _lines(text)) + 8) / inner
    return made


def _plain(value: Any) -> Any:
    """Packed arrays as lists: an older plotly.js, such as an editor may carry, would draw nothing of them."""
    if isinstance(value, dict) and "bdata" in value:
        numbers = np.frombuffer(base64.b64decode(value["bdata"]), dtype=f"<{value['dtype']}").astype(np.float64)
        shape = [int(size) for size in value.get("shape", str(len(numbers))).split(",")]
        plain = numbers.astype(object)
        plain[~np.isfinite(numbers)] = None
        return plain.reshape(shape).tolist()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
