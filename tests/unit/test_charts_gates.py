"""Gate heatmap and saturation on gates that the test sets."""

import math

import numpy as np
import pandas as pd
import pytest

from gradviz.charts._description import Points
from gradviz.charts.gate_heatmap import GateHeatmap
from gradviz.charts.saturation import Saturation
from gradviz.charts.unit_course import UnitCourse
from gradviz.errors import GradvizError
from tests.chart_runs import PLACE, FakeRun

TIMES, UNITS = 30, 4


def keeps(values: np.ndarray, family: str = "gru", clipped: bool = True, step: int = 7, **rest) -> FakeRun:
    point = {"gru": "gate.update", "lstm": "gate.forget", "rnn": "hidden"}[family]
    return FakeRun(family, clipped, arrays={(step, 0, point): values}, **rest)


def test_the_share_kept_is_told_and_units_are_sorted_by_it() -> None:
    values = np.tile([0.9, 0.1, 0.5, 0.3], (TIMES, 1))
    description = GateHeatmap().describe([keeps(values, texts={0: ["a"] * TIMES}), keeps(values[:, :1], "lstm")])
    assert description.title == "With every step the GRU keeps 45\u202f% of its state and the LSTM 90\u202f%"
    heat = description.panels[0].marks[0]
    assert heat.values[:, 0].tolist() == [0.1, 0.3, 0.5, 0.9]
    assert (heat.scale, heat.limits) == ("depth", (0.0, 1.0))
    assert description.panels[0].x.words == ("a",) * TIMES
    rows = description.frame[description.frame["run"] == "GRU, clipped"]
    assert rows[rows["time"] == 0].sort_values("rank")["unit"].tolist() == [1, 3, 2, 0]


def test_units_that_let_go_at_the_marks_are_counted() -> None:
    values = np.full((TIMES, UNITS), 0.9)
    values[5, 0], values[20, 2], values[11, 3] = 0.1, 0.5, 0.0
    words = [f"0.{at:02}" + ("▲" if at in (5, 20) else "") for at in range(TIMES)]
    run = keeps(values, meta={"lag": 15}, texts={0: words})
    description = GateHeatmap().describe([run])
    assert description.title == "2 of 4 units of the GRU let go at step 5 or 20, while their mean falls by 0.20"
    assert description.panels[0].x.ticks == ((5.0, "5 ▲"), (20.0, "20 ▲"))
    order = description.frame[description.frame["time"] == 0].sort_values("rank")["unit"].tolist()
    assert order[-2:] == [2, 0]
    everywhere = GateHeatmap().describe([keeps(values, meta={"lag": 15})])
    assert everywhere.title.startswith("3 of 4 units of the GRU let go at some step")
    assert (
        GateHeatmap().describe([keeps(np.full((TIMES, UNITS), 0.9), meta={"lag": 15})]).title == "No unit of the GRU lets go at some step"
    )


def test_a_cell_without_gates_shows_its_state() -> None:
    values = np.tile([0.95, -0.95, 0.0, 0.5], (TIMES, 1))
    description = GateHeatmap().describe([keeps(values, "rnn")])
    heat = description.panels[0].marks[0]
    assert (heat.scale, heat.limits) == ("tide", (-1.0, 1.0))
    assert description.title == "In the RNN 50\u202f% of the hidden state’s values lie beyond ±0.9"


def test_another_gate_another_step_another_example() -> None:
    arrays = {(step, example, "gate.reset"): np.full((3, 2), 0.1 * step + 0.01 * example) for step in (1, 5) for example in (0, 1)}
    run = FakeRun("gru", arrays=arrays)
    shown = {
        (step, example): GateHeatmap(gate="reset", step=step, example=example).describe([run]).frame["value"].iloc[0]
        for step in (1, 4, -1)
        for example in (0, 1)
    }
    assert shown == pytest.approx({(1, 0): 0.1, (1, 1): 0.11, (4, 0): 0.1, (4, 1): 0.11, (-1, 0): 0.5, (-1, 1): 0.51})
    assert GateHeatmap(example=2).describe([run]).missing
    assert GateHeatmap(gate="forget").describe([run]).missing


def test_nan_in_a_gate_is_drawn_and_named() -> None:
    values = np.full((TIMES, UNITS), 0.5)
    values[10:, 2] = math.nan
    description = GateHeatmap().describe([keeps(values, texts={0: ["a"] * TIMES})])
    assert ("nan", "not a number") in description.key
    assert np.isnan(description.panels[0].marks[0].values).sum() == TIMES - 10
    assert description.frame["value"].isna().sum() == TIMES - 10


def saturation(rows: dict[int, tuple[list[float], list[float]]], point: str = "gate.forget") -> pd.DataFrame:
    return pd.DataFrame(
        [{"step": step, **PLACE, "point": point, "left": left, "right": right, "mean": right} for step, (left, right) in rows.items()]
    )


def test_saturation_draws_start_and_end_of_every_unit() -> None:
    run = FakeRun("lstm", saturation=saturation({0: ([0.0, 0.0], [0.1, 0.1]), 50: ([0.2, 0.0], [0.5, 0.9])}))
    description = Saturation().describe([run])
    slope, start, now = description.panels[0].marks
    assert (slope.way, slope.value) == ("slope", 1.0)
    assert (start.colour, now.colour) == ("ghost", "lstm")
    assert (now.x.tolist(), now.y.tolist()) == ([0.2, 0.0], [0.5, 0.9])
    assert description.title == "Training pushes units to their limits: from 10\u202f% to 80\u202f% in the LSTM"
    assert description.panels[0].note == "not clipped: 10\u202f% shut, 70\u202f% open"
    early = Saturation(step=0).describe([run])
    assert early.title == "Time at the limits is 10\u202f% in the LSTM"


def test_saturation_that_falls_is_not_called_a_push() -> None:
    run = FakeRun("lstm", saturation=saturation({0: ([0.0], [0.9]), 50: ([0.0], [0.5])}))
    assert Saturation().describe([run]).title == "Time at the limits goes from 90\u202f% to 50\u202f% in the LSTM"


def test_what_is_not_a_number_is_not_away_from_its_limits() -> None:
    table = saturation({0: ([0.25], [0.5]), 9: ([0.0], [0.0])}, "hidden").assign(mean=[[0.1], [math.nan]])
    description = Saturation().describe([FakeRun(saturation=table)])
    assert np.isnan(description.panels[0].marks[-1].x).all()
    assert description.panels[0].note == "not clipped: NaN"
    assert description.title == "Time at the limits goes from 75\u202f% to NaN in the RNN"
    view = GateHeatmap().describe([keeps(np.full((TIMES, UNITS), math.nan), "rnn", False)])
    assert view.panels[0].note == "hidden state, NaN"
    assert view.title == "In the RNN the hidden state is not a number"


def test_saturation_of_a_state_speaks_of_its_limits() -> None:
    run = FakeRun(saturation=saturation({0: ([0.25], [0.5])}, "hidden"))
    assert Saturation().describe([run]).panels[0].note == "not clipped: 25\u202f% at −1, 50\u202f% at 1"


def test_a_state_is_read_otherwise_than_a_gate() -> None:
    gate, state = (GateHeatmap().describe([keeps(np.full((TIMES, UNITS), 0.5), family)]).look_for for family in ("lstm", "rnn"))
    assert "never lets go" in gate
    assert "limits of tanh" in state


def test_the_unit_that_is_chosen_is_ringed_where_it_lies_at_the_end() -> None:
    table = saturation({0: ([0.0, 0.0], [0.1, 0.1]), 50: ([0.2, 0.0], [0.5, 0.9])})
    runs = [FakeRun("lstm", saturation=table), FakeRun("lstm", True, saturation=table)]
    description = Saturation(unit=1, whose=runs[1].label).describe(runs)
    rings = [[mark for mark in panel.marks if isinstance(mark, Points) and mark.colour == "ink"] for panel in description.panels]
    assert [len(found) for found in rings] == [0, 1]
    assert (float(rings[1][0].x[0]), float(rings[1][0].y[0])) == (0.0, 0.9)
    assert description.key[-1] == ("ring", "unit 1 of LSTM, clipped")
    beyond = Saturation(unit=9).describe(runs)
    assert all(kind != "ring" for kind, _ in beyond.key)


def test_the_direction_that_is_asked_for_is_the_one_drawn() -> None:
    both = pd.concat(
        [
            saturation({0: ([0.25], [0.5])}).assign(direction="backward"),
            saturation({0: ([0.75], [0.125])}).assign(direction="forward"),
        ],
        ignore_index=True,
    )
    run = FakeRun("lstm", saturation=both)
    found = {way: float(Saturation(direction=way).describe([run]).frame["left"].iloc[0]) for way in ("", "forward", "backward")}
    assert found == {"": 0.75, "forward": 0.75, "backward": 0.25}
    one = FakeRun("lstm", saturation=saturation({0: ([0.25], [0.5])}))
    assert Saturation(direction="backward").describe([one]).missing
    assert GateHeatmap(direction="backward").describe([keeps(np.full((TIMES, UNITS), 0.5))]).missing


def course_run() -> FakeRun:
    """Unit 1 keeps 0.9, but 0.1 at step 7; unit 0 does not move."""
    forget, cell = np.full((TIMES, 2), 0.9), np.zeros((TIMES, 2))
    forget[:, 0], forget[7, 1], cell[:, 1] = 0.5, 0.1, np.arange(TIMES)
    arrays = {"gate.input": np.full((TIMES, 2), 0.25), "gate.forget": forget, "cell": cell, "hidden": np.tanh(cell)}
    return FakeRun("lstm", arrays={(7, 0, point): values for point, values in arrays.items()}, texts={0: list("abcdefgh") * 4})


def test_the_course_of_the_unit_that_varies_most() -> None:
    description = UnitCourse().describe([course_run()])
    mean = (0.9 * (TIMES - 1) + 0.1) / TIMES
    assert description.title == f"Unit 1 of the LSTM keeps {mean:.0%} of its state with every step, least at step 7 (“h”): 10%".replace(
        "%", "\u202f%"
    )
    gates, states = description.panels
    assert [mark.name for mark in gates.marks] == ["forget", "input"]
    assert [mark.name for mark in states.marks] == ["cell", "hidden"]
    assert gates.marks[0].y[7] == 0.1
    assert states.marks[0].y.tolist() == list(range(TIMES))
    rows = description.frame[description.frame["point"] == "gate.forget"]
    assert rows["value"].iloc[7] == 0.1
    assert set(description.frame["unit"]) == {1}


def test_the_course_of_the_unit_that_is_asked_for() -> None:
    assert UnitCourse(unit=0).describe([course_run()]).title.startswith("Unit 0 of the LSTM keeps 50\u202f% of its state")
    with pytest.raises(GradvizError, match="no unit 2; its units are 0 to 1"):
        UnitCourse(unit=2).describe([course_run()])
    assert UnitCourse(example=5).describe([course_run()]).missing
    assert UnitCourse(direction="backward").describe([course_run()]).missing


def test_the_course_without_gates_and_with_lost_numbers() -> None:
    hidden = np.linspace(-0.5, 0.75, TIMES)[:, None]
    assert UnitCourse().describe([keeps(hidden, "rnn")]).title == "The hidden state of unit 0 of the RNN moves between −0.50 and 0.75"
    broken = hidden.copy()
    broken[3:5] = math.nan
    description = UnitCourse().describe([keeps(broken, "rnn")])
    assert description.title == "Unit 0 of the RNN is not a number at 2 of 30 steps"
    assert ("cross", "not a number") in description.key
