"""Loss, clip ledger and parameters on runs made of chosen numbers."""

import math

import numpy as np
import pandas as pd
import pytest

from gradviz.charts._description import Line, Points, Rule
from gradviz.charts.clip_ledger import ClipLedger
from gradviz.charts.loss import Loss
from gradviz.charts.parameters import Parameters
from tests.chart_runs import FakeRun, steps

META = {"baselines": {"letters": 3.2, "letter pairs": 2.2}, "signature": {"loss": "softmax"}}


def ends(loss: float, family: str = "rnn", clipped: bool = False, **rest) -> FakeRun:
    return FakeRun(family, clipped, steps=steps(np.full(100, loss)), **({"meta": META} | rest))


def test_loss_tells_what_clipping_changed() -> None:
    runs = [ends(3.004), ends(1.936, clipped=True), ends(1.5, "gru"), ends(1.485, "gru", True)]
    assert (
        Loss().describe(runs).title
        == "With clipping the RNN ends at a loss of 1.94 instead of 3.00; it changes the loss by 1\u202f% at most in the GRU"
    )
    assert Loss().describe(runs[2:]).title == "Clipping changes the loss by 1\u202f% at most in the GRU"


def test_loss_tells_who_beats_guessing() -> None:
    assert Loss().describe([ends(1.936), ends(1.504, "gru"), ends(3.0, "lstm")]).title == (
        "The RNN and the GRU end at 1.50–1.94, below the best guess (2.2); the LSTM does not get there"
    )
    assert Loss().describe([ends(2.19)]).title == "The RNN does not get below the best guess without a network (2.2)"
    assert Loss().describe([ends(math.nan)]).title == "The RNN does not get below the best guess without a network (2.2)"


def test_loss_of_different_tasks_claims_nothing_about_guessing() -> None:
    title = Loss().describe([ends(1.936), ends(0.1234, "gru", meta={"baselines": {"constant": 1 / 6}})]).title
    assert title == "The RNN ends at a loss of 1.94 and the GRU ends at a loss of 0.123"


def test_loss_is_averaged_over_the_window_and_the_raw_value_kept() -> None:
    loss = np.random.default_rng(0).uniform(1, 2, 60)
    frame = Loss(window=10).describe([FakeRun(steps=steps(loss), meta=META)]).frame
    assert np.array_equal(frame["loss"], loss)
    assert frame["smoothed"].iloc[30] == pytest.approx(loss[25:35].mean())
    assert frame["smoothed"].iloc[0] == pytest.approx(loss[:5].mean())


def test_loss_axis_is_log_when_linear_would_hide_the_end() -> None:
    falling = FakeRun(steps=steps(np.geomspace(1, 1e-3, 100)), meta=META)
    assert [Loss(window=1).describe([run]).panels[0].y.scale for run in (ends(1.5), falling)] == ["linear", "log"]
    marks = Loss(window=1).describe([falling]).panels[0].marks
    assert next(mark for mark in marks if isinstance(mark, Line)).y[-1] == pytest.approx(-3)
    assert [mark.value for mark in marks if isinstance(mark, Rule)] == pytest.approx([math.log10(3.2), math.log10(2.2)])
    assert Loss(scale="linear").describe([falling]).panels[0].y.scale == "linear"


def test_loss_that_stops_being_a_number_is_kept_and_named() -> None:
    loss = np.full(50, 2.0)
    loss[30:], loss[29] = math.nan, math.inf
    description = Loss().describe([FakeRun(steps=steps(loss), meta=META)])
    assert description.panels[0].note == "not finite from step 29"
    assert description.key == (("ring", "on the highest line: infinite"), ("cross", "not a number"))
    assert np.isfinite(description.panels[0].y.limits).all()


def held_out(*loss: float) -> pd.DataFrame:
    return pd.DataFrame({"step": np.arange(len(loss)) * 20, "loss": list(loss), "accuracy": 0.5})


def test_loss_shows_held_out_points_and_the_first_of_the_lowest() -> None:
    run = ends(1.5, held_out=held_out(3.0, math.nan, 1.25, 1.25, math.inf, 2.0))
    description = Loss().describe([run])
    rings, dot = (mark for mark in description.panels[0].marks if isinstance(mark, Points))
    assert rings.x.tolist() == [0, 20, 40, 60, 80, 100]
    assert rings.y[[0, 2]].tolist() == [3.0, 1.25]
    assert (dot.x.tolist(), dot.y.tolist(), dot.filled) == ([40], [1.25], True)
    assert dot.hover == ("RNN, not clipped: held-out loss 1.25 after 40 updates",)
    assert description.panels[0].x.limits == (0.0, 100.0)
    assert ("dot", "its lowest") in description.key
    assert description.frame.groupby("of").size().to_dict() == {"held out": 6, "training": 100}
    assert next(mark for mark in description.panels[0].marks if isinstance(mark, Line)).label == "training 1.5"


def test_loss_of_a_text_is_told_in_bits() -> None:
    meta = META | {"token": "character"}
    alone = ends(1.5, meta=meta, held_out=held_out(3.0, 2 * math.log(2), 2.0))
    assert "Lowest held-out loss: 2 bits per character, perplexity 4, after 20 updates." in Loss().describe([alone]).subtitle
    words = ends(1.5, "gru", meta=META | {"token": "word"}, held_out=held_out(8 * math.log(2)))
    assert "Lowest held-out loss: 2 bits per character (RNN, not clipped); 8 bits per word (GRU, not clipped)." in (
        Loss().describe([alone, words]).subtitle
    )
    nothing = ends(1.5, meta=meta, held_out=held_out(math.nan))
    assert "Lowest" not in Loss().describe([nothing]).subtitle
    assert not [mark for mark in Loss().describe([nothing]).panels[0].marks if isinstance(mark, Points) and mark.filled]


def test_loss_draws_held_out_points_on_the_axis_of_the_curve() -> None:
    run = FakeRun(steps=steps(np.geomspace(1, 1e-3, 100)), meta=META, held_out=held_out(1.0, 1e-2))
    rings = next(mark for mark in Loss(window=1).describe([run]).panels[0].marks if isinstance(mark, Points))
    assert rings.y == pytest.approx([0, -2])


def test_ledger_marks_shortened_and_kept_steps() -> None:
    norm = np.array([5.0, 0.2, 0.1, 3.0])
    run = FakeRun(clipped=True, steps=steps(np.ones(4), norm, 0.5))
    description = ClipLedger().describe([run])
    kept, shortened, rule = description.panels[0].marks
    assert isinstance(kept, Points)
    assert isinstance(shortened, Points)
    assert isinstance(rule, Rule)
    assert (kept.x.tolist(), kept.filled) == ([1, 2], False)
    assert (shortened.x.tolist(), shortened.filled) == ([0, 3], True)
    assert shortened.y == pytest.approx(np.log10([5, 3]))
    assert rule.value == pytest.approx(math.log10(0.5))
    assert description.panels[0].note == "50\u202f% shortened, cosine 1.00"
    assert description.title == "Clipping shortens 50\u202f% of the steps in the RNN"


def exploding(until: int, late: float) -> np.ndarray:
    return np.r_[np.full(until, 1e4), np.full(400 - until, late)]


def test_ledger_says_that_clipping_led_out_only_where_it_did() -> None:
    clipped = FakeRun(clipped=True, steps=steps(np.ones(400), exploding(50, 0.6), 0.5))
    stays = FakeRun(steps=steps(np.ones(400), exploding(400, 1.0)))
    leaves = FakeRun(steps=steps(np.ones(400), exploding(60, 1.0)))
    late = FakeRun(steps=steps(np.ones(400), exploding(300, 1.0)))
    claim = "Clipping led the RNN out of the exploding region: its norm stays below 10 thresholds from step 50 on, without clipping "
    assert ClipLedger().describe([stays, clipped]).title == claim + "never for good"
    assert ClipLedger().describe([late, clipped]).title == claim + "only from step 300"
    assert ClipLedger().describe([leaves, clipped]).title == "Clipping shortens 100\u202f% of the steps in the RNN"


def test_ledger_of_calm_runs_makes_no_claim() -> None:
    runs = [FakeRun("gru", clip, steps=steps(np.ones(100), 0.2, 0.5 if clip else math.nan)) for clip in (False, True)]
    assert ClipLedger().describe(runs).title == "Clipping shortens 0\u202f% of the steps in the GRU"
    assert ClipLedger().describe(runs[:1]).title == "Nothing is clipped; in the second half of training the median norm is 0.2 in the GRU"


def test_ledger_does_not_average_nan_into_a_range() -> None:
    broken = FakeRun("rnn", steps=steps(np.ones(4), [1.0, math.nan, math.nan, math.nan]))
    whole = FakeRun("gru", steps=steps(np.ones(4), [0.2] * 4))
    title = ClipLedger().describe([broken, whole]).title
    assert title == "Nothing is clipped; in the second half of training the median norm is NaN in the RNN and 0.2 in the GRU"


def test_ledger_keeps_zero_infinity_and_nan() -> None:
    run = FakeRun(steps=steps(np.ones(4), [0.0, math.inf, math.nan, 1.0]))
    description = ClipLedger().describe([run])
    y = description.panels[0].marks[0].y
    assert (y[0], y[1], y[3]) == (-math.inf, math.inf, 0)
    assert math.isnan(y[2])
    assert [kind for kind, _ in description.key] == ["ring", "ring", "cross"]  # as they are drawn
    assert [text for _, text in description.key] == ["on the lowest line: exactly 0", "on the highest line: infinite", "not a number"]


def test_ledger_draws_a_threshold_that_moves_as_a_line() -> None:
    table = steps(np.ones(3), [1.0, 2.0, 3.0], 2.0).assign(threshold=[math.nan, 1.0, 10.0])
    marks = ClipLedger().describe([FakeRun(clipped=True, steps=table)]).panels[0].marks
    line = next(mark for mark in marks if isinstance(mark, Line))
    assert math.isnan(line.y[0])
    assert line.y[1:].tolist() == [0, 1]


def test_ledger_tells_what_a_threshold_changed_by_hand_did() -> None:
    norm = np.r_[np.full(9, 1.0), 5.0, np.full(10, 1.0)]
    table = steps(np.ones(20), norm, 2.0).assign(threshold=np.repeat([2.0, 0.5], 10), clipped=norm > np.repeat([2.0, 0.5], 10))
    run = FakeRun(clipped=True, steps=table, changes=[(10, "clipping.limit", 2.0, 0.5)])
    description = ClipLedger().describe([run])
    assert description.title == (
        "With limit 0.5 instead of 2 from step 10 on, clipping shortens 100\u202f% of the steps, before it was 10\u202f%"
    )
    assert description.panels[0].note == "10\u202f% shortened before step 10, 100\u202f% from there on"
    line = next(mark for mark in description.panels[0].marks if isinstance(mark, Line))
    assert line.y.tolist() == pytest.approx(np.log10(np.repeat([2.0, 0.5], 10)).tolist())
    assert not [mark for mark in description.panels[0].marks if isinstance(mark, Rule)]
    free = FakeRun(steps=steps(np.ones(400), exploding(400, 1.0)))
    led = FakeRun(clipped=True, steps=steps(np.ones(400), exploding(50, 0.6), 0.5), changes=[(30, "clipping.limit", 1.0, 0.5)])
    assert "led" not in ClipLedger().describe([free, led]).title  # below ten of which threshold?


def test_ledger_marks_the_change_of_a_rule_that_is_no_limit_on_the_norm() -> None:
    table = steps(np.ones(4), [1.0, 2.0, 3.0, 4.0], math.nan).assign(clipped=[False, False, True, True])
    run = FakeRun(clipped=True, steps=table, changes=[(2, "clipping.share", 0.1, 0.01), (9, "clipping.share", 0.01, 0.02)])
    description = ClipLedger().describe([run])
    rules = [mark for mark in description.panels[0].marks if isinstance(mark, Rule)]
    assert [(rule.value, rule.way, rule.label) for rule in rules] == [(2.0, "up", "share 0.01")]  # no step has felt the other yet
    assert description.title == "Clipping shortens 50\u202f% of the steps in the RNN"


def sizes(ratio: float, gates: tuple[str, ...] = ("",), parameter: str = "layers.0.forward.weight_hh") -> pd.DataFrame:
    rows = []
    for step in (0, 10, 20):
        for gate in gates:
            row = {"step": step, "parameter": parameter, "gate": gate, "weight": 2.0, "update": 2 * ratio, "ratio": ratio}
            rows.append(row | {"gradient_before": 1.0, "gradient_after": 0.5, "distance": 0.1 * step})
    return pd.DataFrame(rows)


def test_parameters_have_a_panel_per_family_and_gate() -> None:
    gates = ("forget", "input", "output", "candidate")
    runs = [
        FakeRun(parameters=sizes(1e-3)),
        FakeRun("lstm", parameters=sizes(1e-2, gates)),
        FakeRun("lstm", True, parameters=sizes(1e-2, gates)),
    ]
    panels = Parameters().describe(runs).panels
    assert [panel.heading for panel in panels] == ["RNN", *(f"LSTM {gate}" for gate in gates)]
    assert [sum(isinstance(mark, Line) for mark in panel.marks) for panel in panels] == [1, 2, 2, 2, 2]
    assert panels[0].marks[1].y == pytest.approx([-3, -3, -3])


def test_parameters_tell_pairs_apart() -> None:
    runs = [FakeRun(parameters=sizes(2e-4)), FakeRun(clipped=True, parameters=sizes(5e-3))]
    assert Parameters().describe(runs).title == (
        "In the second half of training the update ratio is 2\u202f×\u202f10⁻⁴ in the RNN without clipping and 5\u202f×\u202f10⁻³ with it"
    )
    assert Parameters(measure="weight").describe(runs).title.startswith("In the second half of training the weight norm is 2 in ")


def test_parameters_of_the_last_layer_and_by_name() -> None:
    table = pd.concat(
        [sizes(1e-3), sizes(1e-2, parameter="layers.1.forward.weight_hh"), sizes(1e-4, parameter="layers.1.backward.weight_hh")]
    )
    assert Parameters().describe([FakeRun(parameters=table)]).frame["value"].unique().tolist() == [1e-2]
    first = Parameters(layer=0).describe([FakeRun(parameters=table)])
    assert first.frame["value"].unique().tolist() == [1e-3]
    assert "weight_hh of layer 0, by gate" in first.subtitle
    assert "`weight_hh` of layer 2" in Parameters(layer=2).describe([FakeRun(parameters=table)]).missing
    readout = sizes(0.5, parameter="readout.weight")
    assert len(Parameters(parameter="readout.weight").describe([FakeRun(parameters=readout)]).frame) == 3
    assert "weight_ih" in Parameters(parameter="weight_ih").describe([FakeRun(parameters=table)]).missing


def test_parameters_that_stand_still_or_break() -> None:
    still, broken = Parameters().describe([FakeRun(parameters=sizes(0.0))]), Parameters().describe([FakeRun(parameters=sizes(math.nan))])
    assert still.panels[0].marks[1].y.tolist() == [-math.inf] * 3
    assert broken.title == "The update ratio is not a number in the second half of training"


def test_ledger_of_many_clipped_runs_names_each_beside_its_panel_and_the_most_clipped_one_in_the_title() -> None:
    runs = [
        FakeRun("gru", True, label=f"GRU, clipped, {name}", steps=steps(np.ones(4), np.array(norms), 0.5))
        for name, norms in (("a", [1, 1, 0.1, 0.1]), ("b", [1, 1, 1, 0.1]), ("c", [0.1] * 4), ("d", [1, 0.1, 0.1, 0.1]))
    ]
    description = ClipLedger().describe(runs)
    assert description.title == "Clipping shortens 0–75\u202f% of the steps in 4 runs, most in GRU, clipped, b"
    assert [panel.note for panel in description.panels] == [
        "a: 50\u202f% shortened, cosine 1.00", "b: 75\u202f% shortened, cosine 1.00", "c: 0\u202f% shortened",
        "d: 25\u202f% shortened, cosine 1.00",
    ]  # fmt: skip
