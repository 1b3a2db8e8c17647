"""A finished report: a page, and the same as plain data."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from gradviz.errors import GradvizError
from gradviz.reports import _data
from gradviz.reports._figures import Figure


@dataclass(frozen=True)
class Report:
    """title: its claim; render: makes the HTML when it is asked for; sections: (title, figures) in order; facts: what `data` holds
    besides."""

    title: str
    render: Callable[[], str]
    sections: tuple[tuple[str, tuple[Figure, ...]], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _page(self) -> str:
        return self.render()

    def html(self) -> str:
        return self._page

    def data(self) -> dict[str, Any]:
        """What every figure says and the numbers behind it, ready for JSON; numbers without a JSON form are words, "Infinity", "NaN"."""
        return {"title": self.title, **self.facts, "sections": [_data.section(title, figures) for title, figures in self.sections]}

    def json(self) -> str:
        return json.dumps(self.data(), allow_nan=False, ensure_ascii=False, indent=1)

    def write(self, path: str | Path, force: bool = False) -> Path:
        """Write the page to a file; a file that is there already is kept unless `force`."""
        return _write(Path(path), self._page, force)

    def write_json(self, path: str | Path, force: bool = False) -> Path:
        """Write the data to a file, likewise."""
        return _write(Path(path), self.json() + "\n", force)

    def _repr_html_(self) -> str:
        """In a notebook: the page in a frame of its own, whose scripts cannot reach the notebook."""
        style = "width:100%;height:80vh;min-height:480px;border:1px solid #8b9096;border-radius:6px"
        rights = "allow-scripts allow-downloads"
        return f'<iframe title="{escape(self.title)}" sandbox="{rights}" style="{style}" srcdoc="{escape(self._page)}"></iframe>'


def _write(target: Path, text: str, force: bool) -> Path:
    if target.exists() and not force:
        raise GradvizError(f"{target} exists already. Give another name, or say --force (in Python: force=True) to replace it.")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise GradvizError(f"cannot write the report to {target}: {error.strerror or error}. Give another file name.") from error
    return target
