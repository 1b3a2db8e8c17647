"""What every page carries: styles made from the theme, the script, and plotly's cartesian bundle (MIT, see vendor/)."""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from gradviz.backends import theme

HERE = files("gradviz.reports")


def read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def style(still: bool = False) -> str:
    """Variables for both themes, the page's rules, and those for paper, which is always light.

    What is chosen in the page's switch goes before what the system says. The script writes it on the root element; in a page without
    one a selector looks for it, which would be costly where a script draws: it is asked again at every change of the page.
    """
    light, dark = theme.css_variables("light"), theme.css_variables("dark")
    chosen = ":root:has(.theme [value={}]:checked)" if still else ":root[data-theme={}]"
    by_hand = chosen.format("light"), chosen.format("dark")
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}\n"
        f"{by_hand[0]}{{color-scheme:light;{light}}}\n{by_hand[1]}{{color-scheme:dark;{dark}}}\n{read('style.css')}"
        f"@media print{{:root,{','.join(by_hand)}{{color-scheme:light;{light}--paper:#fff}}\n{read('print.css')}}}\n"
    )


def pack(value: Any) -> str:
    """A value as JSON, gzip and base64: nothing in it can end a script element, and the same value gives the same text."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 6, mtime=0)).decode("ascii")


@cache
def library() -> tuple[str, str]:
    """plotly's bundle, gzip and base64, and the hash under which the page lets it run."""
    packed = (HERE / "vendor" / "plotly-cartesian.min.js.gz").read_bytes()
    return base64.b64encode(packed).decode("ascii"), digest(gzip.decompress(packed).decode("utf-8"))


def digest(script: str) -> str:
    """The hash of a script as a content security policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def policy(*scripts: str) -> str:
    """Only these scripts run, or none, and nothing is fetched or sent: the browser itself sees to it."""
    allowed = " ".join(f"'{script}'" for script in scripts) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
