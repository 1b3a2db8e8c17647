"""The grid of words as boxes and texts in pixels, from the panel's lower left corner. On a phone each row is a block of two columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from gradviz.backends._text import printable, shorten, width, wrap
from gradviz.backends.theme import TOKENS
from gradviz.charts._description import Tiles

ROW, BLOCK, HEAD, GAP = 32, 28, 36, 4


@dataclass(frozen=True)
class Box:
    """level: severity, names the wash and the text's colour; full: row, column and text for the hover."""

    left: float
    bottom: float
    right: float
    top: float
    level: str
    text: str
    full: str


@dataclass(frozen=True)
class Word:
    """A heading; y is its middle, x its left end."""

    x: float
    y: float
    text: str
    bold: bool


def height(tiles: Tiles, narrow: bool) -> float:
    if not narrow:
        return HEAD + ROW * max(1, len(tiles.rows))
    return max(1, len(tiles.rows)) * (HEAD + BLOCK * ((len(tiles.columns) + 1) // 2))


def boxes(tiles: Tiles, room: float, narrow: bool) -> list[Box]:
    return list((_blocks if narrow else _table)(tiles, room))


def words(tiles: Tiles, room: float, narrow: bool) -> list[Word]:
    """Names of the rows and, in a table, of the columns."""
    total = height(tiles, narrow)
    if narrow:
        step = total / max(1, len(tiles.rows))
        return [Word(0, total - index * step - HEAD * 0.6, shorten(printable(row), room, 13), True) for index, row in enumerate(tiles.rows)]
    first, pitch = _columns(tiles, room)
    rows = [Word(0, total - HEAD - (index + 0.5) * ROW, shorten(printable(row), first - 8), False) for index, row in enumerate(tiles.rows)]
    heads = [
        Word(first + index * pitch + 2, total - HEAD / 2, wrap(printable(text), pitch - 4), False)
        for index, text in enumerate(tiles.columns)
    ]
    return rows + heads


def _columns(tiles: Tiles, room: float) -> tuple[float, float]:
    """Width of the rows' names, and of every column."""
    first = min(room * 0.35, 16 + max((width(printable(row)) for row in tiles.rows), default=0))
    return first, (room - first) / max(1, len(tiles.columns))


def _cells(tiles: Tiles) -> Iterator[tuple[int, int, str, str, str]]:
    """(row, column, level, glyph, text) of every cell."""
    for row, cells in enumerate(tiles.cells):
        for column, (level, text) in enumerate(cells):
            yield row, column, level, TOKENS["severity"][level]["glyph"], printable(text)


def _full(tiles: Tiles, row: int, column: int, text: str) -> str:
    return f"{printable(tiles.rows[row])}\n{printable(tiles.columns[column])}: {text}"


def _table(tiles: Tiles, room: float) -> Iterator[Box]:
    (first, pitch), total = _columns(tiles, room), height(tiles, False)
    for row, column, level, glyph, text in _cells(tiles):
        left, top = first + column * pitch, total - HEAD - row * ROW
        said = f"{glyph} {text}" if text != glyph else glyph
        said = said if width(said) <= pitch - GAP - 4 else glyph
        yield Box(left, top - ROW + GAP, left + pitch - GAP, top, level, said, _full(tiles, row, column, text))


def _blocks(tiles: Tiles, room: float) -> Iterator[Box]:
    total, lines = height(tiles, True), (len(tiles.columns) + 1) // 2
    for row, column, level, glyph, text in _cells(tiles):
        left = column % 2 * room / 2
        top = total - row * (HEAD + BLOCK * lines) - HEAD - column // 2 * BLOCK
        said = shorten(f"{glyph} {printable(tiles.columns[column])}", room / 2 - GAP - 8)
        yield Box(left, top - BLOCK + GAP, left + room / 2 - GAP, top, level, said, _full(tiles, row, column, text))
