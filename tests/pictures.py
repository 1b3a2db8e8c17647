"""Descriptions for tests of the backends: every mark, with every special value, and words that try to be more than words."""

from typing import Any

import numpy as np
import pandas as pd

from gradviz.charts._description import Axis, Band, Bars, Description, Heat, Line, Mark, Panel, Path, Points, Rule, Tiles

NAN, INF = float("nan"), float("inf")
SPECIAL = np.array([1.0, 0.0, -INF, -INF, 2.0, INF, INF, 1.0, NAN, NAN, 3.0, NAN])
T = np.arange(12.0)
HOSTILE = "<b>@rnn</b> $x^2$ %{y} &lt; <script>alert(1)</script> \u202eabc\x00\x07\ud800 \N{HEBREW LETTER ALEF}日"
WORDS = (*"<b>", "$a$", "%{x}", "@ink", "&amp;", "\x00", "\u202e", "\ud800", "gradient", " ", "\n", "", "日")
LEVELS = ("critical", "warning", "good", "note", "none")

MARKS: dict[str, Mark] = {
    "line": Line(T, SPECIAL, "a line", "rnn", marker="circle", label="clipped ×0.89"),
    "dashed": Line(T, SPECIAL[::-1], "dashed", "lstm", dashed=True, marker="diamond", filled=False, label="not clipped"),
    "path": Path(np.cos(T), SPECIAL, "a path", "rnn", dots=True, begin=True, end="arrow", label="path"),
    "circle": Path(np.cos(T), np.sin(T), "a circle", thin=True, dashed=True, end="square"),
    "empty path": Path(np.array([]), np.array([]), "empty", begin=True, end="circle", label="nothing"),
    "path of NaN": Path(np.full(12, NAN), T, "lost", "rnn", begin=True, end="arrow", label="lost"),
    "band": Band(T, SPECIAL - 1, SPECIAL, "gru"),
    "points": Points(T, SPECIAL, "points", "gru", marker="square", small=True),
    "open points": Points(SPECIAL, T, "open", "ghost", filled=False, hover=tuple(f"<b>{at}" for at in range(12))),
    "heat": Heat(T, np.arange(3.0), np.stack([SPECIAL] * 3), "depth", (-5, 5), True, "norm"),
    "tide": Heat(T, np.arange(3.0), np.stack([SPECIAL] * 3), "tide", (-1, 1), False, "hidden state"),
    "text": Heat(
        T, np.zeros(1), SPECIAL[None], "tide", (-5, 5), True, "norm", (tuple("<b>@␣↵\x00\u202e$a%"),), (("<b>@rnn",) * 12,), ((0, 3),)
    ),
    "text without colours": Heat(T, np.zeros(1), np.ma.masked_all((1, 12)), letters=(tuple("no␣colours␣↵"),)),
    "long text": Heat(np.arange(1e3), np.zeros(1), np.sin(np.arange(1e3))[None], letters=(tuple("gradient␣" * 112)[:1000],)),
    "bars": Bars(T, SPECIAL, "bars", "lstm", hover=tuple(f"<b>{at}" for at in range(12))),
    "bars from zero": Bars(T, SPECIAL, "bars", "ghost", base=-1.0),
    "no bars": Bars(np.array([]), np.array([]), "none"),
    "rule": Rule(1.0, label="threshold 1", dashed=True),
    "rule up": Rule(4.0, "up", label="start"),
    "rule slope": Rule(1.0, "slope"),
    "tiles": Tiles(("RNN", "GRU"), LEVELS, (tuple((level, level) for level in LEVELS),) * 2),
    "empty line": Line(np.array([]), np.array([]), "empty", label="nothing"),
    "one point": Line(np.array([3.0]), np.array([2.0]), "one", "accent", label="one"),
    "all NaN": Line(T, np.full(12, NAN), "lost", "rnn", label="lost"),
    "all zero": Line(T, np.full(12, -INF), "zero", "rnn", marker="circle", label="exactly 0"),
    "empty points": Points(np.array([]), np.array([]), "none"),
    "empty heat": Heat(np.array([]), np.array([]), np.zeros((0, 0))),
    "all infinite": Heat(T, np.arange(2.0), np.full((2, 12), INF), log=True),
    "no tiles": Tiles((), (), ()),
    "hostile": Line(T, np.sin(T), HOSTILE, "rnn", label=HOSTILE),
    "large": Line(np.arange(100_000.0), np.sin(np.arange(100_000) / 3000), "many", "lstm", label="many"),
    "large cloud": Points(
        np.random.default_rng(0).normal(size=100_000), np.random.default_rng(1).normal(size=100_000), "cloud", small=True
    ),
}


def describe(*panels: Panel, **rest: Any) -> Description:
    texts = {"title": "A finding", "subtitle": "norm, log scale", "look_for": "Straight. Bent.", "frame": pd.DataFrame()}
    return Description(**{"name": "picture", **texts, **rest, "panels": panels})


def of(name: str, scale: Any = "log") -> Description:
    """A picture of one mark."""
    return describe(Panel((MARKS[name],), Axis("steps back"), Axis("norm", scale), "RNN", "rnn", "a note"), shape="line")


def hostile() -> Description:
    """Everything that takes text, with hostile text."""
    panel = Panel((MARKS["hostile"], Rule(0.0, label=HOSTILE)), Axis(HOSTILE, words=WORDS), Axis(HOSTILE), HOSTILE, "rnn", HOSTILE)
    heat = Heat(T, T[:2], np.stack([SPECIAL] * 2), unit=HOSTILE)
    words = Panel((heat,), Axis(HOSTILE, words=WORDS), Axis("@ink", ticks=((0, HOSTILE), (1, "@rnn"))), "@rnn", "gru")
    tiles = Panel((Tiles((HOSTILE,), (HOSTILE, "@paper"), ((("note", HOSTILE), ("good", "@rnn")),)),))
    points = Panel((Points(T, T, HOSTILE, hover=(HOSTILE,) * 12),))
    bars = Panel((Bars(T, T, HOSTILE, hover=(HOSTILE,) * 12),))
    letters = tuple(HOSTILE[:40])
    text = Heat(np.arange(40.0), np.zeros(1), np.zeros((1, 40)), unit=HOSTILE, letters=(letters,), hover=((HOSTILE,) * 40,))
    return describe(
        panel,
        words,
        tiles,
        points,
        bars,
        Panel((text,), heading=HOSTILE, note=HOSTILE),
        name="hostile",
        title=HOSTILE,
        subtitle=HOSTILE,
        look_for=HOSTILE,
    )


def multiples(count: int, columns: int = 3, kind: str = "line", **rest: Any) -> Description:
    return describe(
        *(Panel((MARKS[kind],), Axis("step"), Axis("norm", "log"), f"run {at}", "lstm", "clipped") for at in range(count)),
        columns=columns,
        **rest,
    )
