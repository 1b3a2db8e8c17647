"""Every chart in every backend, on runs that are whole, broken, short, or of several tasks. A new chart is checked by being there."""

import json
import re
from collections.abc import Callable
from functools import cache

import pytest

from gradviz.backends import matplotlib, plotly
from gradviz.charts import CHARTS, Description
from gradviz.frames import Run, load_runs
from tests.synthetic import Variant, make_run


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Run]]:
    """Runs by what they are like."""
    out = tmp_path_factory.mktemp("charts")
    for family in ("rnn", "gru", "lstm"):
        for clipped in (False, True):
            make_run(out / "six" / f"{family}-{clipped}", family, clipped, steps=20)
    make_run(out / "mixed" / "text", "lstm", steps=20)
    make_run(out / "mixed" / "adding", "gru", True, "adding", steps=20)
    make_run(out / "nan" / "nan", variant=Variant(bad_from=7))
    make_run(out / "short" / "no update", steps=0)
    make_run(out / "short" / "one update", "gru", steps=1)
    make_run(out / "hostile" / "h", variant=Variant(name="<b>@rnn</b> $x$ %{y} \u202e<script>alert(1)</script>"))
    names = ("six", "mixed", "nan", "short", "hostile")
    return {"none": []} | {name: load_runs(sorted((out / name).iterdir())) for name in names}


SETS = ("none", "six", "mixed", "nan", "short", "hostile")


@pytest.fixture(scope="module")
def described(sets: dict[str, list[Run]]) -> Callable[[str, str], Description]:
    return cache(lambda name, kind: CHARTS[name]().describe(sets[kind]))


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", list(CHARTS))
def test_plotly_draws_it(name: str, kind: str, described: Callable[[str, str], Description]) -> None:
    description = described(name, kind)
    found = plotly.responsive(description)
    text = json.dumps(found, allow_nan=False)
    assert "<script>" not in text
    assert not re.search("[\u202a-\u202e]", json.loads(text)["wide"]["annotations"].__repr__())
    for theme in ("light", "dark"):
        assert '"@' not in json.dumps(plotly.figure(description, theme)), "a colour that the theme does not know"  # type: ignore[arg-type]
    assert bool(found["data"]) != bool(description.missing)
    panels = [key for key in found["wide"] if re.fullmatch(r"xaxis\d*", key)]
    assert len(panels) >= max(1, len(description.panels))


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", list(CHARTS))
def test_matplotlib_draws_it(name: str, kind: str, described: Callable[[str, str], Description]) -> None:
    description = described(name, kind)
    figure = matplotlib.draw(description, 3.3 if kind == "mixed" else 6.8)
    assert len(figure.axes) >= len(description.panels)
    if kind == "hostile":
        assert "<script>" not in matplotlib.svg(description)
