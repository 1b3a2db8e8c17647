"""The one place that knows colours, fonts and sizes: `tokens.json` beside this file, and what is derived from it.

Figures name their colours "@rnn", "@ink", "@depth" …; `resolve` turns the names into values of the light or the dark theme.
"""

import json
from importlib.resources import files
from typing import Any, Literal

from gradviz.errors import unknown

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

TOKENS: dict[str, Any] = json.loads(files(__package__).joinpath("tokens.json").read_text(encoding="utf-8"))
STYLE = str(files(__package__).joinpath("gradviz.mplstyle"))

_BAND = {"light": 0.14, "dark": 0.22}  # opacity of a band in its line's colour
_SOFT = 0.82  # opacity of the ground under a label


def names() -> list[str]:
    """Every colour a mark may ask for."""
    return [name for name, value in TOKENS["light"].items() if isinstance(value, str)] + ["zero", "infinite", "nan"]


def colour(name: str, theme: Theme = "light") -> str:
    """The hex value of a colour's name."""
    value = TOKENS[theme].get(name) or TOKENS["scale"].get(name)
    if not isinstance(value, str):
        raise unknown("colour", name, names())
    return value


def translucent(name: str, opacity: float, theme: Theme = "light") -> str:
    """A colour as rgba(…) with an opacity from 0 to 1."""
    value = colour(name, theme)
    return f"rgba({int(value[1:3], 16)},{int(value[3:5], 16)},{int(value[5:7], 16)},{opacity})"


def ramp(name: str) -> list[list[float | str]]:
    """The stops of a colour scale as (position, colour)."""
    stops = TOKENS["scale"][name]
    return [[index / (len(stops) - 1), stop] for index, stop in enumerate(stops)]


def token(name: str, theme: Theme) -> Any:
    """The value behind "@name": a colour, a colour's band ("rnn_band"), a scale, or a font stack."""
    if name.endswith("_band"):
        return translucent(name.removesuffix("_band"), _BAND[theme], theme)
    if name == "paper_soft":
        return translucent("paper", _SOFT, theme)
    if name in ("depth", "tide"):
        return ramp(name)
    if name in ("font", "mono"):
        return TOKENS["font"]["text" if name == "font" else "mono"]
    return colour(name, theme)


def resolve(value: Any, theme: Theme) -> Any:
    """A figure with every "@name" in it replaced by the theme's value. Other text that begins with "@" is not touched by charts:
    their words are escaped before they come here."""
    if isinstance(value, str):
        return token(value[1:], theme) if value.startswith("@") else value
    if isinstance(value, dict):
        return {key: resolve(item, theme) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, theme) for item in value]
    return value


def css_variables(theme: Theme) -> str:
    """The theme as CSS custom properties. Severities are `--c-critical` and so on; fonts `--font-text`, `--font-head`, `--font-mono`."""
    colours = {f"c-{key}" if key in TOKENS["severity"] else key: value for key, value in TOKENS[theme].items() if isinstance(value, str)}
    fonts = {f"font-{key}": value for key, value in TOKENS["font"].items()}
    return "".join(f"--{key}:{value};" for key, value in {**colours, **fonts}.items())
