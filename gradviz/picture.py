"""A chart of recorded runs as a picture: what a notebook shows, and what can be saved for a paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gradviz.backends import _key, matplotlib, plotly, theme
from gradviz.backends.theme import Theme
from gradviz.charts import CHARTS, Description
from gradviz.files import guard
from gradviz.frames import Run, label_runs, load_runs
from gradviz.options import from_dict
from gradviz.wording import held

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as Interactive

Place = Run | Path | str

# Notebooks say that they are dark on an ancestor, each in its own way: JupyterLab, Notebook 7 and nbconvert; VS Code.
_DARK = "[data-jp-theme-light=false] .gradviz-picture,.vscode-dark .gradviz-picture,.vscode-high-contrast .gradviz-picture"

_STYLE = (
    f"<style>.gradviz-picture{{{theme.css_variables('light')}}}{_DARK}{{{theme.css_variables('dark')}}}"
    ".gradviz-picture svg{width:100%;height:auto}</style>"
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A chart of some runs. As the last line of a notebook's cell it shows itself.

    A front end picks one of the forms it is offered, and none of them fetches anything. JupyterLab, Notebook 7 (both with the extension
    that plotly brings) and VS Code know plotly's own form, prefer it to HTML and draw it with the plotly.js they carry: with hover. They
    would drop every word around the figure, so these words stand in it; and as the plotly.js of an editor may be years old, its arrays
    are plain lists, which every version reads. Others (the classic notebook, nbconvert, a JupyterLab without that extension) know HTML: the
    picture as SVG without scripts, so that it needs no trust, in the light or dark colours of the notebook.
    """

    description: Description

    @property
    def title(self) -> str:
        """The finding, computed from the data."""
        return self.description.title

    @property
    def frame(self) -> pd.DataFrame:
        """The data shown, tidy."""
        return self.description.frame

    @property
    def missing(self) -> str:
        """Why there is nothing to draw and how to record it; empty if there is."""
        return self.description.missing

    @property
    def caption(self) -> str:
        """What a paper says below the figure, after the title: what is drawn, the key in words, the source."""
        return _key.caption(self.description)

    def plotly(self, theme: Theme = "light") -> "Interactive":
        """The figure alone, interactive, with hover."""
        return plotly.to_figure(self.description, theme)

    def matplotlib(self, width: float = 6.8) -> "Figure":
        """The figure alone, `width` inches wide (6.8: two columns of a paper; 3.3: one, panels stacked)."""
        return matplotlib.draw(self.description, width)

    def save(self, path: Path | str, width: float = 6.8, *, dpi: float = 300, title: bool = False) -> Path:
        """Write the figure as .svg, .pdf or .png and return the path. dpi: of a .png; title: with the finding above the figure."""
        target = Path(path)
        matplotlib.kind_of(target)
        guard(target, lambda: matplotlib.save(self.description, target, width, dpi=dpi, title=title))
        return target

    def _repr_html_(self) -> str:
        """A fragment without scripts and outside requests, in the colours of the notebook."""
        said = self.description
        parts = [_line("title", said.title, "font-weight:600;font-size:17px"), _line("subtitle", said.subtitle, "color:var(--muted)")]
        if said.missing:
            parts.append(_line("missing", said.missing, ""))
        else:
            parts += [_samples(said), f'<div class="plot" style="overflow-x:auto">{matplotlib.svg(said)}</div>']
            parts += [
                _line("look-for", said.look_for, "", "What to look for. "),
                _line("source", said.source, "color:var(--muted)", "After "),
            ]
        card = "background:var(--paper,#fbfaf7);color:var(--ink,#101418);padding:12px 16px;max-width:760px;border-radius:6px;margin:4px 0"
        font = f"font:14px/1.5 {theme.TOKENS['font']['text']}".replace('"', "'")
        return f'{_STYLE}<div class="gradviz-picture" role="figure" style="{card};{font}">{"".join(parts)}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The forms that a notebook may choose from; see the class. A picture with nothing to draw is words only."""
        forms = {"text/plain": self.title, "text/html": self._repr_html_()}
        return forms if self.missing else {**forms, "application/vnd.plotly.v1+json": plotly.told(self.description)}


def _line(name: str, text: str, style: str, head: str = "") -> str:
    bold = f"<b>{head}</b>" if head.endswith(". ") else head
    return f'<p class="{name}" style="margin:0 0 6px;{style}">{bold}{escape(held(text))}</p>' if text else ""


def _samples(said: Description) -> str:
    items = (
        f'<span style="color:var(--{name},{theme.colour(name)})">{letters}</span> {escape(text)}'
        for letters, name, text in _key.samples(said)
    )
    words = " &#8195;".join(items)
    return f'<p class="key" style="margin:0 0 6px;color:var(--muted)">{words}</p>' if words else ""


def chart(name: str, runs: Place | Sequence[Place] = (), **options: Any) -> Picture:
    """The chart called `name` (an entry of `gradviz.charts.CHARTS`) of these runs: runs, folders of runs, or paths of run folders.

    options: those of the chart, such as `step` or `layer`; one it does not have is an error that lists what it has.
    """
    made = from_dict(CHARTS[name], options)
    return Picture(made.describe(_runs([runs] if isinstance(runs, Run | str | Path) else runs)))


def _runs(given: Sequence[Place]) -> list[Run]:
    """Paths are opened; if there are any, all runs are labelled anew, so that each has a label of its own."""
    found = [[*load_runs(item)] if isinstance(item, str | Path) else [item] for item in given]
    every = [run for some in found for run in some]
    return label_runs(every) if any(isinstance(item, str | Path) for item in given) else every
