"""Descriptions as matplotlib figures, for papers and for pages without scripts. Nothing here touches pyplot or its state."""

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from threading import RLock

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.style import context

from gradviz.backends import theme
from gradviz.backends._layout import HEADING, TITLE, Plan, plan
from gradviz.backends._text import printable, wrap
from gradviz.backends.matplotlib import _axes, _marks
from gradviz.charts._description import Description
from gradviz.errors import unknown

_NARROW = 4.5  # inches; below, panels are stacked
_METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "gradviz"},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": "gradviz"},
    "png": {"Software": None},
}


_ONE = RLock()  # matplotlib's settings are those of all threads, and a dashboard draws in several


@contextmanager
def _style() -> Iterator[None]:
    """The house style, untouched by the reader's own settings. A letter that the font lacks is drawn as a box, without a warning."""
    with _ONE, context(["default", theme.STYLE]), matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


def draw(description: Description, width: float = 6.8, title: bool = False) -> Figure:
    """A figure `width` inches wide (6.8: two columns of a paper; 3.3: one, panels stacked), in light colours on white. `title`: with
    the finding above it; papers say it in the caption."""
    figure = _figure(description, width, title)
    with _style():
        figure.draw_without_rendering()  # ticks are made now, in this style
    return figure


def _figure(description: Description, width: float, title: bool = False) -> Figure:
    """The same, whose ticks are made when it is drawn: in the house style, then."""
    drawn = plan(description, width * _axes.PER_INCH, narrow=width < _NARROW)
    said = wrap(printable(description.title), drawn.width - 16, 1.15 * HEADING, lines=8) if title else ""
    drawn = _lowered(drawn, 20.0 * len(said.split("\n")) + 8) if said else drawn
    with _style():
        figure = Figure(figsize=(width, drawn.height / _axes.PER_INCH))
        figure.set_layout_engine("none")  # the plan says where everything stands
        FigureCanvasAgg(figure)
        if drawn.missing:
            _say(figure, drawn)
        if said:
            at = 8 / drawn.width, 1 - 8 / drawn.height
            figure.text(*at, said, ha="left", va="top", fontsize=_axes.points(HEADING), fontweight="bold", linespacing=1.2)
        for place in drawn.places:
            canvas = _marks.Canvas(_axes.axes(figure, drawn, place), place, drawn)
            for mark in place.panel.marks:
                _marks.DRAW[type(mark)](mark, canvas)
            _marks.write_labels(canvas)
        _axes.bars(figure, drawn)
    return figure


def _say(figure: Figure, drawn: Plan) -> None:
    figure.text(0.5, 0.5, drawn.missing, ha="center", va="center", color=theme.colour("muted"), fontsize=_axes.points(TITLE))


def _lowered(drawn: Plan, by: float) -> Plan:
    """The plan with room above it, in pixels."""
    top, right, bottom, left = drawn.margin
    return replace(drawn, height=drawn.height + by, margin=(top + by, right, bottom, left))


def kind_of(path: Path | str) -> str:
    """svg, pdf or png, by the suffix of a file's name; any other is an error."""
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in _METADATA:
        raise unknown("kind of picture", Path(path).name, (f".{name}" for name in _METADATA))
    return kind


def save(description: Description, path: Path | str, width: float = 6.8, *, dpi: float | None = None, title: bool = False) -> None:
    """Write a .svg, .pdf or .png, by the suffix of `path`. Equal descriptions give equal bytes. dpi: of a .png, 200 if not given."""
    kind = kind_of(path)
    figure = _figure(description, width, title)
    with _style():
        figure.savefig(path, format=kind, metadata=_METADATA[kind], dpi=dpi or matplotlib.rcParams["savefig.dpi"])


def svg(description: Description, width: float = 6.8) -> str:
    """A picture to stand inside a page: its colours are the page's CSS variables (`theme.css_variables`), its ids are its own, and it
    has no style sheet, which would hold for the whole page."""
    figure, target = _figure(description, width), io.StringIO()
    with _style():
        figure.savefig(target, format="svg", metadata=_METADATA["svg"], transparent=True)
    text = target.getvalue()
    text = _lean(text[text.index("<svg") :])
    prefix = f"gradviz-{hashlib.sha256((description.name + text).encode()).hexdigest()[:8]}-"
    return _titled(_themed(_prefixed(text, prefix)), description.title)


def _lean(text: str) -> str:
    """Without indents, comments and metadata; the one rule of matplotlib's style sheet is said on the picture itself."""
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text, found = re.subn(r"<defs>\s*<style[^>]*>\*\{([^{}]*)\}</style>\s*</defs>", "", text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    return text.replace("<svg ", '<svg style="stroke-linejoin:round;stroke-linecap:butt" ', 1) if found else text


def _prefixed(text: str, prefix: str) -> str:
    """Every id, and every reference to one, with a prefix: several pictures share a page."""
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r'href="#', f'href="#{prefix}', text)
    return text.replace("url(#", f"url(#{prefix}")


def _themed(text: str) -> str:
    """Light colours as variables with themselves as fallback: the picture follows the page into the dark theme."""
    seen: dict[str, str] = {"#ffffff": "paper"}
    for name, value in theme.TOKENS["light"].items():
        if isinstance(value, str):
            seen.setdefault(value, f"c-{name}" if name in theme.TOKENS["severity"] else name)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda found: f"var(--{seen[found[0]]}, {found[0]})" if found[0] in seen else found[0], text)
    return text.replace("'DejaVu Sans'", "var(--font-text, 'DejaVu Sans', sans-serif)").replace(
        "'DejaVu Sans Mono'", "var(--font-mono, 'DejaVu Sans Mono', monospace)"
    )


def _titled(text: str, title: str) -> str:
    """The finding as the picture's name for readers who do not see it."""
    end = text.index(">") + 1
    return f'{text[: end - 1]} role="img">\n<title>{escape(printable(title))}</title>{text[end:]}'
