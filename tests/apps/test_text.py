"""The page Text: colours, a text of one's own, positions, sampling; with weights and without them."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gradviz import frames
from gradviz.backends import plotly as drawing
from gradviz.charts.connectivity import Connectivity
from gradviz.dashboards import clicks, live, reading, show, state
from gradviz.dashboards.views.text import PARTS
from gradviz.language import activations, sample
from tests.apps.test_dashboard import charts, fine, opened, words
from tests.synthetic import make_run

HOSTILE = "</script><b>x</b> :red[x] $y$ [a](b)"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    make_run(folder / "lstm", family="lstm", steps=4)
    return folder


def letters(app: AppTest) -> str:
    """All letters on the page's first picture, in no order."""
    return "".join("".join(one["text"]) for one in charts(app)[0]["data"] if one.get("mode") == "text")


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_of_the_page(part: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part=part)
    fine(app)
    assert app.segmented_control(key="part").value == part
    assert len(charts(app)) == {"Write": 0, "Search": 2}.get(part, 1)


@pytest.mark.parametrize("colour", reading.COLOURS)
@pytest.mark.parametrize("sequence", ["0", reading.OWN])
def test_every_colour_of_recorded_and_own_texts(colour: str, sequence: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", colour=colour, sequence=sequence)
    fine(app)
    assert len(charts(app)) == 1
    assert sorted(letters(app)) == sorted(expected(runs, sequence))


def expected(runs: Path, sequence: str) -> str:
    return reading.FIRST.replace(" ", "␣") if sequence == reading.OWN else "".join(frames.load(runs / "lstm").words(0) or [])


def test_what_is_typed_stays_text(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", colour="Probability", sequence=reading.OWN)
    app.text_area(key="own").set_value(HOSTILE).run()
    fine(app)
    assert "<" not in letters(app)
    assert letters(app).count("&lt;") == HOSTILE.count("<")
    assert "<b>" not in app.title[0].value.replace("\\<", "")


def test_the_position_is_kept_within_the_text(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", colour="Pull", sequence=reading.OWN)
    assert app.slider(key="position").value == len(reading.FIRST) - 1
    app.slider(key="position").set_value(3).run()
    assert "at step 3" in app.title[0].value
    app.slider(key="position").set_value(len(reading.FIRST) - 1).run()
    app.text_area(key="own").set_value("short").run()
    fine(app)
    assert app.slider(key="position").value == 4


def test_a_click_on_a_token_moves_the_position(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = frames.load(runs / "lstm")
    description = Connectivity(text="one\ntwo").describe([run])
    marks = clicks.letters(drawing.figure(description, "light"))
    assert len(marks["x"]) == len("one\ntwo")
    assert [text[1] for text in marks["text"]] == list("one↵two"), "numbered in reading order, and saying what the picture says"
    monkeypatch.setattr(state.st, "session_state", {"connectivity-0": {"selection": {"points": [{"x": 2.0, "customdata": [5]}]}}})
    show.picked("connectivity-0", show.Click(6, reading.mover(run, list("one↵two"))))
    assert state.st.session_state["position"] == 5


def test_a_click_on_any_letter_of_a_word_chooses_the_word(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = frames.load(runs / "lstm")
    run.meta["facts"] = {"level": "word"}
    monkeypatch.setattr(state.st, "session_state", {})
    chosen = []
    for cell in range(len("the cat ")):
        reading.mover(run, ["the", "cat"])(float(cell))
        chosen.append(state.st.session_state["position"])
    assert chosen == [0] * 4 + [1] * 4


def test_the_network_writes_the_same_with_the_same_seed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part="Write")
    app.text_area(key="prompt").set_value("a<b>")
    app.number_input(key="length").set_value(12)
    written = []
    for seed in (0, 0, 1):
        app.number_input(key="seed").set_value(seed)
        press(app, "Write")
        at_rest(app)
        written.append(text_of(app))
    assert written[0] == written[1] != written[2]
    assert written[0].startswith("a<b>"), "in a code block, which shows it letter by letter"
    assert app.title[0].value.startswith("12 tokens written by LSTM")
    assert len(charts(app)) == 2


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label.startswith(label)).click().run()


def text_of(app: AppTest) -> str:
    return next(str(item.value) for item in app.code if not item.value.startswith("gradviz report"))


def at_rest(app: AppTest) -> list[str]:
    """Lets the network write to its end. In a browser time goes by; here every run is a tick. Returns what stood there on the way."""
    seen = []
    while app.title[0].value.endswith("is writing"):
        fine(app)
        seen.append(text_of(app))
        assert len(seen) < 50
        app.run()
    fine(app)
    return seen


def test_tokens_and_gates_appear_while_the_network_writes(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part="Write", length="35", watch="input")
    press(app, "Write")
    picture = charts(app)[0]
    values = next(one for one in picture["data"] if one["type"] == "heatmap")
    assert len(text_of(app)) == 10
    assert values["z"]["shape"].endswith(", 10"), "one column a token"
    assert picture["layout"]["xaxis"]["range"] == [-0.5, live.WIDE - 0.5], "the frame has room for the text to come"
    seen = at_rest(app)
    assert [len(text) for text in seen] == [10, 20, 30]
    whole = text_of(app)
    assert whole == sample(runs / "lstm", length=35).text
    assert all(whole.startswith(text) for text in seen)
    assert "input gate" in app.header[0].value


def test_the_growing_picture_shows_the_last_tokens_of_what_the_finished_one_shows(runs: Path) -> None:
    run = frames.load(runs / "lstm")
    text = sample(runs / "lstm", length=live.WIDE + 30).text
    whole = live.gates_of(run, text, "forget", -1)
    part, full = (description.panels[0].marks[0] for description in (live.latest(whole), whole))
    assert len(part.x) == live.WIDE
    np.testing.assert_array_equal(part.values, full.values[:, 30:])
    expected = activations(runs / "lstm", text, -1)["gate.forget"]  # another way to the same numbers
    np.testing.assert_allclose(part.values.T, expected[30:])
    few = live.latest(live.gates_of(run, text[:7], "forget", -1)).panels[0]
    np.testing.assert_array_equal(few.marks[0].values, full.values[:, :7])
    assert few.x.words == whole.panels[0].x.words[:7]


def test_writing_can_be_stopped(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part="Write", length="100")
    press(app, "Write")
    app.button(key="stop").click().run()
    fine(app)
    assert app.title[0].value.startswith("10 tokens written by LSTM")
    assert "You stopped it" in words(app)


def test_a_link_shows_what_was_written(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part="Write", length="10", seed="3", prompt="ab", written="yes")
    at_rest(app)
    assert text_of(app) == "ab" + sample(runs / "lstm", "ab", length=10, seed=3).text
    app.number_input(key="seed").set_value(4)
    press(app, "Write")
    at_rest(app)
    assert text_of(app) == "ab" + sample(runs / "lstm", "ab", length=10, seed=4).text


def test_without_weights_the_recorded_states_are_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "lstm", family="lstm", steps=4)
    (tmp_path / "lstm" / "weights.safetensors").unlink()
    app = opened(tmp_path, monkeypatch, "text")
    fine(app)
    assert len(charts(app)) == 1
    for query in ({"colour": "Probability"}, {"colour": "Pull"}, {"part": "Weigh"}, {"part": "Search"}):
        app = opened(tmp_path, monkeypatch, "text", **query)
        fine(app)
        assert "gradviz train my" in words(app).replace("\\", "")
    app = opened(tmp_path, monkeypatch, "text", part="Write")
    press(app, "Write")
    assert not app.exception
    assert "Nothing was written" in words(app)


def test_the_recorded_arrays_are_what_is_drawn(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text")
    app.number_input(key="unit").set_value(3).run()
    run = frames.load(runs / "lstm")
    values = np.tanh(run.probe(run.probe_steps[-1], 0, "cell")[:, 3])
    picture = next(one for one in charts(app)[0]["data"] if one["type"] == "heatmap")
    assert "unit 3" in str(charts(app)[0]["layout"])
    assert f"“{run.words(0)[0]}” at step 0" in str(picture["text"])
    assert len(values) == len(run.words(0))


def test_a_unit_that_was_found_colours_a_text(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "text", part="Search")
    best = app.title[0].value.split("nit ")[1].split(" ")[0]
    press(app, "Read a text")
    fine(app)
    assert app.segmented_control(key="part").value == "Read"
    assert app.number_input(key="unit").value == int(best)
    assert app.title[0].value.startswith(f"Unit {best} ")


@pytest.mark.parametrize("part", ["", "Read", "Write"])
def test_an_address_that_chooses_nothing_shows_what_is_shown_without_it(part: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys(("colour", "sequence", "text-it", "text-gate", "watch", "run"), "")
    fine(opened(runs, monkeypatch, "text", part=part, **nothing))
