"""A picture becomes a numbered figure: what is said about it, what the page draws, and the table behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from gradviz.backends import matplotlib, plotly
from gradviz.charts import Description
from gradviz.errors import GradvizError
from gradviz.reports._choices import Moment, described
from gradviz.reports._packing import compact
from gradviz.reports._tables import HELD_PLAIN, Table, download, packed, table
from gradviz.reports.kinds import Picture
from gradviz.wording import held

HEIGHTS = {"line": 360, "multiples": 320, "film": 460, "gate": 500, "strip": 270, "text": 220, "tiles": 320, "plane": 360}
MEDIUM = 680.0  # px: on a tablet and on paper
PAGE = 8.5  # inches, of a picture in a page without scripts: 918 px
Drawn = dict[str, Any]
Changes = list[tuple[list[str | int], Any]]


@dataclass(frozen=True)
class Figure:
    """choose: what its control chooses, "step", "token", "run" or a label; names: of its positions, opens: at which of them; payload:
    what the page's script reads; still: whether it stands in a page without scripts, as `svg`."""

    number: int
    about: str
    said: Description
    table: Table
    choose: str = ""
    names: tuple[str, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)
    still: bool = False

    @property
    def anchor(self) -> str:
        return f"figure-{self.number}"

    @property
    def opens(self) -> int:
        """The position that the page opens at."""
        return int(self.payload.get("start", 0))

    @property
    def height(self) -> int:
        return int(self.payload["layout"]["height"]) if self.payload else HEIGHTS[self.said.shape]

    @cached_property
    def svg(self) -> Markup:
        """The picture itself, drawn when it is asked for; its words are escaped by the backend."""
        return Markup(matplotlib.svg(self.said, PAGE))

    @property
    def csv(self) -> str:
        """The numbers behind it as an address that a link can download."""
        return download(self.said.frame)


def figure(number: int, picture: Picture, *, static: bool = False) -> Figure:
    """Describe and draw one picture; a chart that refuses these runs leaves the sentence that says why. static: for a page without
    scripts, in which nothing can be chosen."""
    try:
        said, moments = described(replace(picture, choose="") if static else picture)
        said = replace(said, title=_absent(picture.chart)) if said.missing else said
    except GradvizError as error:
        said, moments = _refused(picture.chart, str(error)), ()
    if static:
        return Figure(number, picture.about, said, table(said.frame, HELD_PLAIN), still=True)
    return drawn_figure(number, said, picture.about, picture.choose, moments)


def drawn_figure(number: int, said: Description, about: str = "", choose: str = "", moments: Sequence[Moment] = ()) -> Figure:
    """A description as a figure. moments: what its control shows; the page opens at the one that says `said`."""
    if said.missing:
        return Figure(number, about, said, table(said.frame))
    drawn = _drawn(said)
    every = moments or [Moment("", "", said)]
    frames = [_frame(drawn, drawn if moment.said is said else _drawn(moment.said), moment) for moment in every]
    start = next((at for at, moment in enumerate(moments) if moment.said is said), 0)
    payload = {**drawn, "frames": frames, "start": start, "table": packed(said.frame)}
    return Figure(number, about, said, table(said.frame), choose, tuple(moment.name for moment in moments), payload)


def _refused(chart: str, reason: str) -> Description:
    return Description(chart, _absent(chart), "", "", pd.DataFrame(), missing=reason)


def _absent(chart: str) -> str:
    """The heading in place of a finding, so that a reader knows which picture is not there."""
    return f"No picture: {chart.replace('_', ' ')}"


def _frame(base: Drawn, wide: Drawn, moment: Moment) -> dict[str, Any]:
    """One position of a control: its words, and what changes in the figure, on a wide page and on smaller ones."""
    said = moment.said
    medium, narrow = _drawn(said, width=MEDIUM), _drawn(said, narrow=True)
    words = {"name": held(moment.name), "spoken": held(moment.spoken), "title": held(said.title), "subtitle": held(said.subtitle)}
    return {**words, "wide": changes(base, wide), "medium": changes(wide, medium), "narrow": changes(wide, narrow)}


def _drawn(said: Description, width: float | None = None, narrow: bool = False) -> Drawn:
    """A figure laid out for a width; the page's script sets the width itself."""
    figure: Drawn = compact(plotly.figure(said, width=width, narrow=narrow))
    figure["layout"].pop("width", None)
    return figure


def changes(old: Any, new: Any) -> Changes:
    """What to put where to make `new` out of `old`: (path, value) pairs, so that equal parts are sent once."""
    if old == new and type(old) is type(new):
        return []
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() <= new.keys():
        return [([key, *path], value) for key in new for path, value in (changes(old[key], new[key]) if key in old else [([], new[key])])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _branches(new):
        return [([at, *path], value) for at, pair in enumerate(zip(old, new, strict=True)) for path, value in changes(*pair)]
    return [([], new)]


def _branches(items: Sequence[Any]) -> bool:
    return all(isinstance(item, dict) for item in items)
