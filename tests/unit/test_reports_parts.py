"""The parts of a report: what is sent of a figure, tables, the small lines, settings, and the words at the top."""

import base64
import json
import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.backends import plotly
from gradviz.charts import CHARTS, Description
from gradviz.findings import Verdict
from gradviz.frames import Run, load_runs
from gradviz.reports import report
from gradviz.reports._choices import shared_steps
from gradviz.reports._figures import changes, figure
from gradviz.reports._packing import all_rounded, compact, rounded
from gradviz.reports._runs import spark, thinned
from gradviz.reports._settings import flattened
from gradviz.reports._summary import cards, claim, facts
from gradviz.reports._tables import HELD, HELD_PLAIN, download, number, packed, said, table
from gradviz.reports.kinds import Picture
from gradviz.wording import held
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    for family, clipped in (("rnn", False), ("rnn", True), ("gru", True), ("lstm", True)):
        make_run(folder / f"text-{family}-{clipped}", family=family, clipped=clipped, task="text")
    for family in ("rnn", "gru"):
        make_run(folder / f"adding-{family}", family=family, clipped=True, task="adding")
    return load_runs(folder)


def apply(base: Any, listed: list[tuple[list[Any], Any]]) -> Any:
    result = deepcopy(base)
    for path, value in listed:
        if not path:
            result = value
            continue
        node = result
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
    return result


plain = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(plain, plain)
def test_changes_lead_from_one_to_the_other(old: Any, new: Any) -> None:
    assert apply(old, changes(old, new)) == new


def test_equal_parts_are_not_sent_again() -> None:
    old = {"data": [{"y": [1, 2], "name": "a"}, {"y": [3, 4], "name": "b"}], "layout": {"height": 1}}
    new = {"data": [{"y": [1, 2], "name": "a"}, {"y": [3, 5], "name": "b"}], "layout": {"height": 1}}
    assert changes(old, new) == [(["data", 1, "y"], [3, 5])]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234.5, "1234"),
        (0.5, "0.5"),
        (-0.25, "−0.25"),
        (1e-9, "1.0e−9"),
        (-2.5e7, "−2.5e7"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
        (99999.7, "100000"),
    ],
)
def test_numbers_as_texts(value: float, text: str) -> None:
    assert number(value) == text


def test_values_that_are_no_numbers() -> None:
    assert [said(value) for value in (None, True, np.bool_(False), "a b", 3)] == ["–", "yes", "no", "a b", "3"]


def test_the_table_spreads_over_all_rows_and_the_pack_holds_them() -> None:
    frame = pd.DataFrame({"run": ["a"] * 500 + ["b"] * 500, "lag": range(1000), "norm": [np.nan, np.inf, -np.inf, 1 / 3] * 250})
    shown = table(frame)
    assert shown.rows == 1000
    assert (shown.shown[0][1], shown.shown[-1][1]) == ("0", "999")
    run, lag, norm = packed(frame)["columns"]
    assert [run["levels"][code] for code in run["codes"]] == frame["run"].tolist()
    assert lag["values"] == list(range(1000))
    assert norm["values"][:4] == ["nan", "inf", "-inf", 0.33333]
    json.dumps(packed(frame), allow_nan=False)


def test_an_empty_table() -> None:
    shown = table(pd.DataFrame({"lag": [], "norm": []}))
    assert (shown.rows, shown.shown) == (0, ())


def test_the_small_line_falls_when_the_loss_does() -> None:
    points = [tuple(map(float, point.split(","))) for point in spark(np.linspace(4.0, 2.0, 10), (2.0, 4.0)).split()]
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert (points[0][1], points[-1][1]) == (2.0, 26.0)
    assert spark(np.array([np.nan, 1.0, np.nan]), (0.0, 2.0)).count(",") == 1
    assert spark(np.array([]), (0.0, 1.0)) == ""


def test_thinning_keeps_means_and_gaps() -> None:
    assert thinned(np.arange(88.0)).tolist() == [0.5 + 2 * k for k in range(44)]
    assert np.isnan(thinned(np.full(100, np.nan))).all()


def test_flattened_options() -> None:
    assert flattened({"task": {"name": "text", "length": 100}, "name": "x"}) == {"task": "text", "task length": 100, "name": "x"}


def test_a_slider_needs_steps_that_all_runs_share(runs: list[Run]) -> None:
    steps = shared_steps(runs)
    assert steps == sorted(steps)
    assert all(step in run.reach_steps for step in steps for run in runs)


def verdict(code: str, severity: Any, word: str, **numbers: float) -> Verdict:
    return Verdict(code, "A title", severity, word, "A sentence.", numbers)


def heads(runs: list[Run], says: dict[str, Verdict]) -> dict[Path, Verdict]:
    return {run.path: says[run.path.name] for run in runs}


FINE = verdict("vanishing", "good", "reaches back", half_life_end=400.0, lag=75.0)
EXPLODES = verdict("exploding", "critical", "exploded", growth_decades=5.8)
VANISHES = verdict("vanishing", "critical", "vanishing", half_life_end=2.5, lag=75.0)
SAYS = {
    "text-rnn-False": EXPLODES,
    "text-rnn-True": verdict("exploding", "note", "tamed", growth_decades=5.8, share_shortened=0.8),
    "text-gru-True": verdict("vanishing", "note", "short memory", half_life_end=6.0),
    "text-lstm-True": verdict("vanishing", "note", "short memory", half_life_end=4.0),
    "adding-rnn": VANISHES,
    "adding-gru": FINE,
}


@pytest.mark.parametrize(("won", "saved"), [(1.9, True), (2.95, False), (4.0, False), (float("nan"), False)])
def test_the_claim_names_what_clipping_saved(runs: list[Run], monkeypatch: pytest.MonkeyPatch, won: float, saved: bool) -> None:
    monkeypatch.setattr("gradviz.reports._summary.row", lambda run: {"loss": won if run.clipped else 3.2})
    said = claim(runs, heads(runs, SAYS))
    assert said.endswith(f"On adding, only in the GRU does the gradient reach back {lag_of(runs)} steps.")
    assert said.startswith("Without clipping the RNN explodes and ends at a loss of 3.2, with clipping at 1.9.") == saved
    assert said.startswith("Without clipping") == saved


def lag_of(runs: list[Run]) -> int:
    return next(int(run.meta["lag"]) for run in runs if run.path.name == "adding-gru")


def test_the_claim_says_nothing_that_the_verdicts_do_not(runs: list[Run]) -> None:
    calm = dict.fromkeys(SAYS, FINE)
    assert claim(runs, heads(runs, calm)) == "No critical finding in these six runs."
    assert "reach back" not in claim(runs, heads(runs, dict.fromkeys(SAYS, VANISHES)))
    both_explode = {**calm, "text-rnn-False": EXPLODES, "text-rnn-True": EXPLODES}
    assert claim(runs, heads(runs, both_explode)) == (
        "Critical findings in two of six runs: RNN, not clipped (exploded) and RNN, clipped, text (exploded)."
    )
    assert claim(runs[:1], heads(runs[:1], SAYS)) == "RNN, not clipped: one critical finding, “exploded”."


def test_cards_differ_in_word_and_show_good_news_too(runs: list[Run]) -> None:
    shown = cards(runs, heads(runs, SAYS))
    assert [card.word for card in shown] == ["exploded", "vanishing", "tamed", "reaches back"]
    assert [card.number.split("\u202f")[0] for card in shown] == ["×6.3", "2.5", "80", "400"]
    alone = cards(runs, heads(runs, dict.fromkeys(SAYS, FINE)))
    assert [card.word for card in alone] == ["reaches back"]
    assert alone[0].who.endswith("and five more")


def test_facts_count_runs_and_sizes(runs: list[Run]) -> None:
    assert facts(runs).startswith("Six runs: four on text and two on adding. ")
    assert facts(runs[:1]).startswith("One run on text. ")


def test_numbers_in_figures_are_rounded_and_steps_are_not() -> None:
    values = np.array([[1 / 3, np.nan], [123456.0, -7.34567]], dtype="<f4")
    typed = {"dtype": "f4", "bdata": base64.b64encode(values.tobytes()).decode(), "shape": "2, 2"}
    assert compact({"z": typed, "x": [0.123456789, 12], "name": "a"}) == {
        "z": [[0.3333, None], [123456, -7.346]],
        "x": [0.12346, 12],
        "name": "a",
    }


@given(st.lists(st.floats(width=32) | st.floats() | st.integers(-(10**15), 10**15).map(float), min_size=1), st.integers(2, 7))
def test_many_numbers_are_rounded_like_one(values: list[float], digits: int) -> None:
    for value, found in zip(values, all_rounded(np.array(values), digits).tolist(), strict=True):
        one = rounded(value, digits)
        assert type(found) is type(one)
        assert found == one or found == pytest.approx(one, rel=10.0 ** (1 - digits))  # of two decimals equally near either will do
        assert found is None or isinstance(found, int) or float(f"{found:.{digits}g}") == found


def test_a_slider_on_a_chart_without_steps_says_so(runs: list[Run]) -> None:
    shown = figure(1, Picture("loss", tuple(runs), choose="step"))
    assert "has no option `step`" in shown.said.missing


CHOSEN: list[tuple[str, Any]] = [("waterfall", "step"), ("film", "step"), ("connectivity", "token"), ("gate_heatmap", "run")]


@pytest.mark.parametrize(("name", "choose"), CHOSEN)
def test_each_position_of_a_control_is_the_chart_of_that_choice(name: str, choose: Any, runs: list[Run]) -> None:
    text = tuple(run for run in runs if run.path.name.startswith("text"))
    shown = figure(1, Picture(name, text, choose=choose))
    frames, base = shown.payload["frames"], {"data": shown.payload["data"], "layout": shown.payload["layout"]}
    assert len(frames) == len(shown.names) > 1
    assert shown.said.title == frames[shown.payload["start"]]["title"]
    for frame in (frames[0], frames[-1]):
        described = chosen(name, choose, frame["spoken"], text)
        wide = apply(base, frame["wide"])
        assert frame["title"] == described.title
        assert wide == without_width(compact(plotly.figure(described)))
        assert apply(wide, frame["narrow"]) == without_width(compact(plotly.figure(described, narrow=True)))


def chosen(name: str, choose: str, spoken: str, runs: tuple[Run, ...]) -> Description:
    """The chart of what a control says in words."""
    chart: Any = CHARTS[name]
    if choose == "run":
        return chart().describe([run for run in runs if run.label == spoken])
    option = {"waterfall": "step", "film": "step", "connectivity": "position"}[name]
    return chart(**{option: int(spoken.rsplit(" ", 1)[1])}).describe(runs)


def test_a_picture_of_which_nothing_can_be_chosen_has_no_control(runs: list[Run]) -> None:
    one = tuple(runs[:1])
    assert figure(1, Picture("gate_heatmap", one, choose="run")).names == ()
    assert figure(1, Picture("waterfall", (), choose="step")).names == ()


def test_of_a_very_long_table_the_page_holds_rows_spread_evenly() -> None:
    frame = pd.DataFrame({"step": np.arange(100_000), "word": ["=a", "b"] * 50_000})
    made, held = table(frame), packed(frame)["columns"]
    assert (made.rows, made.held) == (100_000, HELD)
    steps = held[0]["values"]
    assert (len(steps), steps[0], steps[-1]) == (HELD, 0, 99_999)
    assert set(np.diff(steps)) <= {3, 4}
    text = base64.b64decode(download(frame).split(",", 1)[1]).decode().splitlines()
    assert (len(text), text[0], text[1]) == (HELD_PLAIN + 1, "step,word", "0,'=a")


def without_width(figure: dict[str, Any]) -> dict[str, Any]:
    return {**figure, "layout": {key: value for key, value in figure["layout"].items() if key != "width"}}


@pytest.mark.parametrize("static", [True, False])
def test_a_name_does_not_turn_the_words_after_it(static: bool, tmp_path: Path) -> None:
    """U+202E would write the rest of its paragraph backwards: "spets 3.6 efil-flah"."""
    for name in ("one", "two"):
        make_run(tmp_path / name, task="text")
        meta = json.loads((tmp_path / name / "run.json").read_text())
        meta["name"] = f"{name} \u202e\u0007\u2066 שלום & </script>"
        (tmp_path / name / "run.json").write_text(json.dumps(meta))
    made = report(load_runs(tmp_path), kind="vanishing", static=static)
    assert "one ��� שלום &amp; &lt;/script&gt;" in made.html()
    assert not set(made.html()) & {"\u202e", "\u0007", "\u2066"}
    frames = [figure.payload.get("frames", []) for _, some in made.sections for figure in some]
    assert "\u202e" not in json.dumps(frames, ensure_ascii=False)


def test_what_is_held_of_a_text_is_all_but_what_turns_it() -> None:
    assert held("a\u202eb\u200fc\u0000d") == "a�b�c�d"
    assert held("61\u202f% × größer, שלום\n\tنص 👩\u200d🔬") == "61\u202f% × größer, שלום\n\tنص 👩\u200d🔬"
