"""Where everything stands, in pixels, before any library draws it: panels, scales, labels at the outer edge only, colour bars.

Both backends draw the same plan, so that a page and a paper show the same picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradviz.backends import _flow, _plane, _tiles
from gradviz.backends._bars import Bar, bars, heats, kind, room_for
from gradviz.backends._scales import Scale, Way, scale_of
from gradviz.backends._text import printable, shorten, width, words_under, wrap
from gradviz.backends._wrap import wrapped
from gradviz.backends.theme import TOKENS
from gradviz.charts._description import Axis, Description, Heat, Panel, Tiles

WIDE, NARROW = float(TOKENS["width"]["figure"]), 350.0
TICK, TITLE, HEADING = 12, 13, 14  # sizes of text in pixels
_LINES = {"line": 300.0, "multiples": 190.0, "film": 150.0, "gate": 180.0, "strip": 200.0, "text": 190.0, "tiles": 0.0, "plane": 300.0}
_WRAPPED, _ONE_ROW = 125.0, {"multiples": 248.0, "film": 220.0}


@dataclass(frozen=True)
class Place:
    """A panel at left, top (of the plotting area), width × height pixels. Labels stand only where no neighbour has them.

    note_lines: lines of notes between heading and panel in its row, 0 if the note stands right of the heading; lattice: the size for which
    marks on a heatmap are chosen, the same on a phone, so that a page ships them once.
    """

    panel: Panel
    row: int
    column: int
    left: float
    top: float
    width: float
    height: float
    x: Scale
    y: Scale
    x_labels: bool
    y_labels: bool
    x_title: str
    y_title: str
    heading: str
    note: str
    note_lines: int
    lattice: tuple[float, float]

    @property
    def bare(self) -> bool:
        """Whether the panel has no axes: tiles and texts."""
        return _flow.is_text(self.panel) or any(isinstance(mark, Tiles) for mark in self.panel.marks)

    @property
    def note_lift(self) -> int:
        """Pixels from panel to note below a heading: notes of a row begin at one height."""
        return 16 * (self.note_lines - self.note.count("\n") - 1)

    @property
    def y_room(self) -> float:
        """Pixels between the panel and its y title: what the widest tick takes."""
        return max((width(words, TICK) for _, words in self.y.ticks), default=0.0) + 12


@dataclass(frozen=True)
class Plan:
    """margin: top, right, bottom, left; header: pixels above each row for headings."""

    name: str
    places: tuple[Place, ...]
    width: float
    height: float
    margin: tuple[float, float, float, float]
    bars: tuple[Bar, ...]
    narrow: bool
    missing: str = ""

    @property
    def inner(self) -> tuple[float, float]:
        top, right, bottom, left = self.margin
        return self.width - left - right, self.height - top - bottom

    @property
    def bars_below(self) -> bool:
        """Colour bars stand below the picture: on a phone, and under a text, which is as wide as the page."""
        return self.narrow or _flow.has_text([place.panel for place in self.places])

    def bar_of(self, heat: Heat) -> int:
        return next(index for index, bar in enumerate(self.bars) if kind(bar.heat) == kind(heat))


def plan(description: Description, room: float | None = None, *, narrow: bool = False) -> Plan:
    """The plan of a description, `room` pixels wide (920, or 350 if narrow)."""
    total = room or (NARROW if narrow else WIDE)
    if description.missing or not description.panels:
        words = description.missing or "Nothing to draw: the chart has no panels."
        return Plan(description.name, (), total, 120.0, (8.0, 8.0, 8.0, 8.0), (), narrow, wrap(printable(words), total - 40, 13, lines=5))
    texts = _flow.flowed(description.panels, total, narrow)
    panels = [piece for panel in texts for piece in wrapped(panel, total - (60 if narrow else 110))]
    if len(panels) > len(description.panels):  # lines of a text stand under each other
        description = replace(description, columns=1)
    return _Builder(description, panels, total, narrow).plan()


def _axis(panel: Panel, way: Way) -> Axis:
    return panel.x if way == "x" else panel.y


def _grid(count: int, description: Description, narrow: bool) -> tuple[int, list[tuple[int, int]]]:
    """Number of columns, and (row, column) of each panel. A film of two rows is turned for the phone: pairs that stood above
    each other stand side by side."""
    wide = min(max(1, description.columns), count)
    columns = min(2 if description.shape == "film" else 1, count) if narrow else wide
    if narrow and columns == 2 and wide > 2 and count == 2 * wide:
        return columns, [(index % wide, index // wide) for index in range(count)]
    return columns, [divmod(index, columns) for index in range(count)]


class _Builder:
    """Works a plan out; exists while it is made."""

    def __init__(self, description: Description, panels: Sequence[Panel], room: float, narrow: bool) -> None:
        self.description, self.panels, self.room, self.narrow = description, panels, room, narrow
        self.columns, self.at = _grid(len(panels), description, narrow)
        self.rows = max(row for row, _ in self.at) + 1
        self.heights = self._heights()
        self.crowded = False  # whether notes stand below the headings

    def _heights(self) -> list[float]:
        """Height of each row of panels."""
        shape = self.description.shape
        heights = [_ONE_ROW.get(shape, _LINES[shape]) if self.rows == 1 else _LINES[shape]] * self.rows
        for panel, (row, _) in zip(self.panels, self.at, strict=True):
            tiles = [_tiles.height(mark, self.narrow) for mark in panel.marks if isinstance(mark, Tiles)]
            heights[row] = _flow.height(panel, self.narrow) if _flow.is_text(panel) else max([heights[row], *tiles])
        if len(self.panels) > len(self.description.panels):  # wrapped
            heights = [_WRAPPED] * self.rows
        return [height or 200.0 for height in heights]

    def plan(self) -> Plan:
        y_scales = [self._scale(panel, "y", self.heights[row]) for panel, (row, _) in zip(self.panels, self.at, strict=True)]
        right, below = room_for(heats(self.panels), self.narrow)
        given, plane = self.panels, self.description.shape == "plane"
        for _ in range(3 if plane else 1):  # wider limits have other ticks, which take other room
            left, gap = self._left(y_scales)
            each = max(40.0, (self.room - left - right - gap * (self.columns - 1)) / self.columns)
            if plane:
                self.panels, self.heights = _plane.rounded(given, each, self.rows)
                y_scales = [self._scale(panel, "y", self.heights[0]) for panel in self.panels]
        x_scales = [self._scale(panel, "x", each) for panel in self.panels]
        self.crowded = any(self._crowded(panel, each) for panel in self.panels)
        tops, inner = self._tops(each)
        parts = zip(((column * (each + gap), tops[row]) for row, column in self.at), x_scales, y_scales, strict=True)
        places = tuple(self._place(index, corner, each, x, y) for index, (corner, x, y) in enumerate(parts))
        bottom = self._below(self.rows - 1, each) + below
        margin = (max(10.0, self._header(0, each) + 4), right, bottom, left)
        spans = [
            (one, tops[row] / inner, (tops[row] + self.heights[row]) / inner) for one, (row, _) in zip(self.panels, self.at, strict=True)
        ]
        long = self.room - left - right if _flow.has_text(self.panels) else inner
        drawn = bars(spans, 0.8 * self.room if self.narrow else long, self.narrow)
        return Plan(self.description.name, places, self.room, margin[0] + inner + bottom, margin, drawn, self.narrow)

    def _scale(self, panel: Panel, way: Way, length: float) -> Scale:
        """Panels with the same axis share their limits; ticks of words depend on the room they have."""
        tiles = [mark for mark in panel.marks if isinstance(mark, Tiles)]
        if tiles:
            size = length if way == "x" else _tiles.height(tiles[0], self.narrow)
            return Scale(0.0, size, 0.0, size, ())
        axis = _axis(panel, way)
        scale = scale_of(axis, [other for other in self.panels if _axis(other, way) == axis], way, length)
        if axis.words is None:
            most = length if way == "x" else self.room / 4
            return replace(scale, ticks=tuple((at, shorten(text, most)) for at, text in scale.ticks))
        shown = [(at, word) for at, word in words_under(axis.words, length / (scale.end - scale.start)) if scale.low <= at <= scale.high]
        return replace(scale, ticks=tuple(shown))

    def _neighbour(self, index: int, way: Way) -> Panel | None:
        """The panel that would carry the labels instead: the one below (x) or to the left (y)."""
        row, column = self.at[index]
        wanted = (row + 1, column) if way == "x" else (row, column - 1)
        return self.panels[self.at.index(wanted)] if wanted in self.at else None

    def _labelled(self, index: int, way: Way) -> bool:
        panel, neighbour = self.panels[index], self._neighbour(index, way)
        axis = _axis(panel, way)
        if any(isinstance(mark, Tiles) for mark in panel.marks) or _flow.is_text(panel):
            return False
        return neighbour is None or _axis(neighbour, way) != axis or (way == "x" and axis.words is not None)

    def _title(self, index: int, way: Way, room: float) -> str:
        neighbour, label = self._neighbour(index, way), _axis(self.panels[index], way).label
        alone = neighbour is None or _axis(neighbour, way).label != label
        return wrap(printable(label), room, TITLE) if label and alone and self._labelled(index, way) else ""

    def _left(self, scales: Sequence[Scale]) -> tuple[float, float]:
        """Left margin, and the gap between columns: wide enough for the y labels that stand in them."""
        need = [0.0, 0.0]
        for index, ((row, column), scale) in enumerate(zip(self.at, scales, strict=True)):
            if self._labelled(index, "y"):
                text = max((width(words, TICK) for _, words in scale.ticks), default=0.0)
                title = self._title(index, "y", self.heights[row])
                need[column > 0] = max(need[column > 0], text + 10 + (6 + 17 * len(title.split("\n")) if title else 0))
        return max(12.0, need[0] + 4), max(24.0 if self.description.shape == "film" else 30.0, need[1] + 16)

    @staticmethod
    def _crowded(panel: Panel, room: float) -> bool:
        return bool(panel.note) and width(f"● {panel.heading}", HEADING) + width(panel.note) + 14 > room

    @staticmethod
    def _note(panel: Panel, room: float) -> str:
        return wrap(printable(panel.note), room, lines=3)

    def _below(self, row: int, each: float) -> float:
        """Pixels that the labels under a row of panels take."""
        inside = [index for index, at in enumerate(self.at) if at[0] == row]
        labels = any(self._labelled(index, "x") for index in inside)
        titles = [self._title(index, "x", each) for index in inside]
        return (26.0 if labels else 6.0) + 18.0 * max(title.count("\n") + 1 if title else 0 for title in titles)

    def _note_lines(self, row: int, each: float) -> int:
        """Lines that notes take below the headings of a row; 0 if they stand beside them."""
        notes = [self._note(panel, each) for panel, at in zip(self.panels, self.at, strict=True) if at[0] == row and panel.note]
        return max((note.count("\n") + 1 for note in notes), default=0) if self.crowded else 0

    def _header(self, row: int, each: float) -> float:
        """Pixels for the headings of a row, and for notes below them."""
        headed = any(panel.heading or panel.note for panel, at in zip(self.panels, self.at, strict=True) if at[0] == row)
        return 28.0 + 16 * self._note_lines(row, each) if headed else 0.0

    def _tops(self, each: float) -> tuple[list[float], float]:
        """Top of every row, and the height of the plotting area."""
        tops, at = [], 0.0
        for row, height in enumerate(self.heights):
            tops.append(at)
            at += height + (self._below(row, each) + self._header(row + 1, each) + 8 if row < self.rows - 1 else 0)
        return tops, at

    def _place(self, index: int, corner: tuple[float, float], each: float, x: Scale, y: Scale) -> Place:
        panel, (row, column) = self.panels[index], self.at[index]
        glyph, heading = TOKENS["cell"].get(panel.colour, {}).get("glyph", ""), printable(panel.heading)
        heading = f"{glyph} {heading}" if glyph and heading and not heading.startswith(glyph) else heading
        shown = min(self.description.columns, len(self.panels))
        return Place(
            panel=panel, row=row, column=column, left=corner[0], top=corner[1], width=each, height=self.heights[row], x=x, y=y,
            x_labels=self._labelled(index, "x"), y_labels=self._labelled(index, "y"),
            x_title=self._title(index, "x", each), y_title=self._title(index, "y", self.heights[row]),
            heading=shorten(heading, each, HEADING), note=self._note(panel, each),
            note_lines=self._note_lines(row, each), lattice=(WIDE / shown, 180.0),
        )  # fmt: skip
