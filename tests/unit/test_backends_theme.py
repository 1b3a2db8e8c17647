"""The tokens, and the files that repeat them because they cannot read them."""

import re
import tomllib
from pathlib import Path

import matplotlib
import pytest

from gradviz.backends import theme
from gradviz.errors import GradvizError

CONFIG = Path(__file__).parents[2] / "dashboards" / ".streamlit" / "config.toml"


def test_the_matplotlib_style_says_what_the_tokens_say() -> None:
    style, light = matplotlib.rc_params_from_file(theme.STYLE, use_default_template=False), theme.TOKENS["light"]
    wanted = {
        "text.color": "ink", "axes.edgecolor": "axis", "axes.labelcolor": "muted", "axes.titlecolor": "ink", "grid.color": "grid",
        "xtick.color": "axis", "ytick.color": "axis", "xtick.labelcolor": "muted", "ytick.labelcolor": "muted",
    }  # fmt: skip
    assert {key: f"#{str(style[key]).lstrip('#')}" for key in wanted} == {key: light[name] for key, name in wanted.items()}
    assert [f"#{colour.lstrip('#')}" for colour in style["axes.prop_cycle"].by_key()["color"]] == light["categories"]


@pytest.mark.skipif(not CONFIG.exists(), reason="the dashboard has no config.toml yet")
@pytest.mark.parametrize("name", theme.THEMES)
def test_the_dashboard_s_config_says_what_the_tokens_say(name: theme.Theme) -> None:
    config, tokens = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"], theme.TOKENS[name]
    same = {
        "primaryColor": "accent", "backgroundColor": "paper", "textColor": "ink", "borderColor": "line",
        "redTextColor": "critical", "redBackgroundColor": "critical_wash", "orangeTextColor": "warning", "greenTextColor": "good",
        "blueTextColor": "note", "grayTextColor": "none", "chartCategoricalColors": "categories",
    }  # fmt: skip
    assert {key: config[name][key] for key in same} == {key: tokens[token] for key, token in same.items()}
    assert (config["font"], config["headingFont"], config["codeFont"]) == tuple(
        theme.TOKENS["font"][key] for key in ("text", "head", "mono")
    )
    for key, scale in (("chartSequentialColors", "depth"), ("chartDivergingColors", "tide")):
        ends = config[name].get(key, config.get(key))
        assert (ends[0], ends[-1]) == (theme.TOKENS["scale"][scale][0], theme.TOKENS["scale"][scale][-1])


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two hex colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_can_be_read(name: theme.Theme) -> None:
    """WCAG AA: 4.5 for text, 3 for lines."""
    paper = theme.colour("paper", name)
    assert all(_contrast(theme.colour(text, name), paper) >= 4.5 for text in ("ink", "muted", "rnn", "gru", "lstm", "accent"))
    assert all(_contrast(theme.colour(level, name), theme.colour(f"{level}_wash", name)) >= 4.5 for level in theme.TOKENS["severity"])
    assert _contrast(theme.colour("ghost", name), paper) >= 3
    assert all(_contrast("#ffffff", theme.TOKENS["scale"][kind]) >= 3 for kind in ("zero", "infinite", "nan"))


def test_resolve_replaces_names_and_nothing_else() -> None:
    figure = {"a": "@rnn", "b": ["@rnn_band", ("@depth", 3, None)], "c": {"d": "rnn @ink"}}
    found = theme.resolve(figure, "dark")
    ramp = [[at / 10, colour] for at, colour in enumerate(theme.TOKENS["scale"]["depth"])]
    assert found == {"a": "#f5703a", "b": ["rgba(245,112,58,0.22)", [ramp, 3, None]], "c": {"d": "rnn @ink"}}


def test_an_unknown_colour_lists_the_known() -> None:
    with pytest.raises(GradvizError, match=r"unknown colour 'rn'. Did you mean 'rnn'"):
        theme.resolve("@rn", "light")


@pytest.mark.parametrize("name", theme.THEMES)
def test_css_variables_hold_every_colour_and_font(name: theme.Theme) -> None:
    found = dict(re.findall(r"--([\w-]+):([^;]+);", theme.css_variables(name)))
    assert found["c-critical"] == theme.TOKENS[name]["critical"]
    assert found["font-mono"] == theme.TOKENS["font"]["mono"]
    assert set(theme.names()) - {"zero", "infinite", "nan"} == {key.removeprefix("c-") for key in found if not key.startswith("font-")}
