"""Eigenvalues, Lyapunov strip, phase portrait and cliff on networks and surfaces whose answers are known."""

import shutil
from pathlib import Path as Folder

import numpy as np
import pytest
from safetensors.numpy import save_file

import gradviz
from gradviz.backends._decimate import MOST_ON_A_LINE, trail
from gradviz.cells import CELLS
from gradviz.charts._description import Path, Points
from gradviz.charts.cliff import Cliff, beside, held
from gradviz.charts.eigenvalues import Eigenvalues
from gradviz.charts.lyapunov import Lyapunov
from gradviz.charts.phase import Phase
from gradviz.dynamics.one_unit import descend
from gradviz.frames import Run, load
from gradviz.recording.reading import read_weights
from gradviz.tasks import TASKS
from tests.chart_runs import FakeRun

ROTATION, SIZES, REST = 0.7, (0.45, 0.45, 0.3, 0.2), 10.0
NAME = "layers.0.forward"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    """Small runs, by what they are."""
    out, task, made = tmp_path_factory.mktemp("dynamics"), TASKS["adding"](length=30), {}
    for name, cell, direction in (
        ("relu", CELLS["rnn"](activation="relu"), "forward"),
        ("gru", CELLS["gru"](), "forward"),
        ("both", CELLS["gru"](), "both"),
    ):
        model = gradviz.Model(cell=cell, units=4, direction=direction)
        made[name] = Folder(gradviz.train(gradviz.Experiment(task, model, gradviz.Training(updates=2, batch=8)), out / name))
    return made


def turning() -> np.ndarray:
    """A rotation by ROTATION, shortened, beside two real eigenvalues, seen from an orthogonal basis: as W in W h."""
    block = np.diag(SIZES)
    c, s = np.cos(ROTATION), np.sin(ROTATION)
    block[:2, :2] = SIZES[0] * np.array([[c, -s], [s, c]])
    q = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
    return q @ block @ q.T


def changed(run: Folder, target: Folder, **arrays: np.ndarray) -> Run:
    """A copy of a run with other weights."""
    shutil.copytree(run, target)
    weights = read_weights(target, "last")
    save_file(
        {name: np.ascontiguousarray(arrays.get(name, array), np.float32) for name, array in weights.items()}, target / "weights.safetensors"
    )
    return load(target)


@pytest.fixture
def linear(trained: dict[str, Folder], tmp_path: Folder) -> Run:
    """Rectified units that never reach zero are linear: h_t = W h_{t−1} + (1 − W) REST, which no input moves and which rests at REST."""
    w = turning().astype(np.float32).astype(np.float64)
    bias = (np.eye(4) - w) @ np.full(4, REST)
    arrays = {f"{NAME}.weight_hh": w.T[None], f"{NAME}.bias": bias[None], f"{NAME}.weight_ih": np.zeros((1, 2, 4))}
    return changed(trained["relu"], tmp_path / "linear", **arrays)


@pytest.mark.parametrize("of", ["weights", "jacobian"])
def test_eigenvalues_of_a_rotation_stand_at_its_angle(linear: Run, of: str) -> None:
    description = Eigenvalues(of=of).describe([linear])
    now = description.frame[description.frame["when"] == "now"]
    assert sorted(now["size"]) == pytest.approx(sorted(SIZES), rel=1e-5)
    turns = now.loc[now["size"] > 0.4]
    assert sorted(np.arctan2(turns["imaginary"], turns["real"])) == pytest.approx([-ROTATION, ROTATION], rel=1e-5)
    assert now["radius"].iloc[0] == pytest.approx(0.45, rel=1e-5)
    assert now["stretch"].iloc[0] == pytest.approx(0.45, rel=1e-5), "W is normal"
    (panel,) = description.panels
    circle = panel.marks[0]
    assert isinstance(circle, Path)
    np.testing.assert_allclose(np.hypot(circle.x, circle.y), 1.0)
    assert (description.frame["when"] == "start").any()
    assert description.title.startswith("Training ")
    assert "to 0.45" in description.title


def test_gated_cells_show_each_block_or_the_candidate(trained: dict[str, Folder], linear: Run) -> None:
    gru = load(trained["gru"])
    alone, beside_another = Eigenvalues().describe([gru]), Eigenvalues().describe([gru, linear])
    assert [panel.heading for panel in alone.panels] == ["Reset gate", "Update gate", "Candidate"]
    assert len(beside_another.panels) == 2
    weights = read_weights(trained["gru"], "last")[f"{NAME}.weight_hh"][2].astype(np.float64)
    drawn = beside_another.frame[(beside_another.frame["run"] == gru.label) & (beside_another.frame["when"] == "now")]
    assert drawn["size"].max() == pytest.approx(max(abs(np.linalg.eigvals(weights))))


def test_lyapunov_exponents_of_a_linear_network_are_the_logarithms(linear: Run) -> None:
    description = Lyapunov(count=0).describe([linear])
    now = description.frame[description.frame["when"] == "now"]
    np.testing.assert_allclose(now["exponent"], np.log(SIZES), atol=0.01)
    np.testing.assert_allclose(now["share"], [0.25, 0.5, 0.75, 1.0])
    assert now["steps"].unique().tolist() == [27], "thirty, a tenth of them warm-up"
    assert "small differences fade" in description.title
    assert Lyapunov(count=2).describe([linear]).frame.groupby("when").size().tolist() == [2, 2]


def test_a_small_exponent_is_not_said_to_grow(trained: dict[str, Folder], tmp_path: Folder) -> None:
    """An identity neither grows nor fades: λ is 0 and not known better than its drift."""
    arrays = {f"{NAME}.weight_hh": np.eye(4)[None], f"{NAME}.bias": np.full((1, 4), 0.1), f"{NAME}.weight_ih": np.zeros((1, 2, 4))}
    description = Lyapunov().describe([changed(trained["relu"], tmp_path / "identity", **arrays)])
    assert "hardly change" in description.title


def test_phase_draws_the_fixed_point_where_it_is(linear: Run) -> None:
    description = Phase().describe([linear])
    frame = description.frame
    w, h, states = turning(), np.zeros(4), [np.zeros(4)]
    for _ in range(30):
        h = w @ h + (np.eye(4) - w) @ np.full(4, REST)
        states.append(h)
    centred = np.array(states) - np.mean(states, axis=0)
    main = np.linalg.svd(centred)[2][:2]
    (fixed,) = frame[frame["what"] == "fixed"].to_dict("records")
    begin = frame[(frame["what"] == "state") & (frame["time"] == 0)].iloc[0]
    moved = abs(np.array([fixed["first"] - begin["first"], fixed["second"] - begin["second"]]))
    np.testing.assert_allclose(moved, abs(main @ np.full(4, REST)), atol=1e-4)
    assert fixed["stability"] == "stable"
    assert fixed["time_constant"] == pytest.approx(-1 / np.log(0.45), rel=1e-4)
    assert description.title == "Without input the RNN comes to rest at one point; its slowest mode fades in 1.3\u202fsteps"
    (panel,) = description.panels
    (mark,) = [mark for mark in panel.marks if isinstance(mark, Points)]
    assert (mark.x[0], mark.y[0], mark.filled) == (fixed["first"], fixed["second"], linear.clipped or True)


def test_phase_says_that_a_state_keeps_moving(trained: dict[str, Folder], tmp_path: Folder) -> None:
    """h_t = h_{t−1} + 0.1 never rests."""
    arrays = {f"{NAME}.weight_hh": np.eye(4)[None], f"{NAME}.bias": np.full((1, 4), 0.1), f"{NAME}.weight_ih": np.zeros((1, 2, 4))}
    description = Phase().describe([changed(trained["relu"], tmp_path / "drift", **arrays)])
    assert description.title == "Without input the RNN is still moving after 1\u202f000 steps"
    assert "slow" in set(description.frame["what"])


@pytest.mark.parametrize("chart", [Eigenvalues(of="jacobian"), Lyapunov(), Phase()])
def test_what_has_no_single_state_or_no_numbers_is_refused_with_a_reason(
    trained: dict[str, Folder], linear: Run, tmp_path: Folder, chart
) -> None:
    both = load(trained["both"])
    lost = changed(trained["gru"], tmp_path / "nan", **{f"{NAME}.weight_hh": np.full((3, 4, 4), np.nan)})
    assert "reads in both directions" in chart.describe([both]).missing
    assert "NaN" in chart.describe([lost]).missing
    for refused in (both, lost):
        some = chart.describe([linear, refused])
        assert some.subtitle.endswith(f"Left out: {refused.label}.")
        assert f"{refused.label}: " in some.subtitle
        assert set(some.frame["run"]) == {linear.label}
    assert chart.describe([FakeRun()]).missing


def test_eigenvalues_of_nan_weights_are_refused(trained: dict[str, Folder], tmp_path: Folder) -> None:
    lost = changed(trained["gru"], tmp_path / "nan", **{f"{NAME}.weight_hh": np.full((3, 4, 4), np.nan)})
    assert "holds NaN" in Eigenvalues().describe([lost]).missing
    assert "no layer 3" in Eigenvalues(layer=3).describe([load(trained["gru"])]).missing


# ---------------------------------------------------------------------- the cliff


def test_plain_descent_jumps_and_clipped_does_not() -> None:
    frame = Cliff().describe(()).frame
    ways = {name: rows[["w", "b"]].to_numpy() for name, rows in frame.groupby("descent")}
    jump = {name: np.linalg.norm(np.diff(way, axis=0), axis=1).max() for name, way in ways.items()}
    assert jump["plain"] > 1
    assert jump["clipped"] <= 0.05 * 1.0 + 1e-12, "rate times threshold"


@pytest.mark.parametrize("w", [5.0, 6.0])
def test_the_gradient_on_the_wall_is_the_closed_form(w: float) -> None:
    """∂E/∂b = 2 (σ(½) − 0.7) σ'(½) (a⁵⁰ − 1)/(a − 1), a = w σ'(½); ∂E/∂w = σ(½) ∂E/∂b."""
    s = 1 / (1 + np.exp(-0.5))
    a = w * s * (1 - s)
    expected = abs(2 * (s - 0.7) * s * (1 - s) * (a**50 - 1) / (a - 1)) * np.hypot(1, s)
    near = beside(w)
    assert near.loc[near["offset"] == 0, "norm"].item() == pytest.approx(expected, rel=1e-9)
    if w == 5:
        assert expected == pytest.approx(np.hypot(661.6828, 411.8706), rel=1e-6)


def test_an_even_grid_misses_the_peak_that_the_picture_shows() -> None:
    panel = Cliff(w=6.0, b=-3.0).describe(()).panels[1]
    peak = max(float(np.max(mark.y)) for mark in panel.marks)
    assert peak > 6


def test_a_descent_ends_at_the_edge_and_says_where_it_went() -> None:
    limits = (0.0, 1.0), (0.0, 2.0)
    kept, left = held(np.array([[0.5, 0.5], [0.5, 1.0], [2.5, 2.0]]), limits)
    assert left
    np.testing.assert_allclose(kept, [[0.5, 0.5], [0.5, 1.0], [1.0, 1.25]])
    whole, left = held(np.array([[0.5, 0.5], [0.6, 0.5]]), limits)
    assert (len(whole), left) == (2, False)
    lost, left = held(np.array([[0.5, 0.5], [np.nan, 0.5]]), limits)
    assert (len(lost), left) == (1, True)
    last = descend((5.0, -2.3), 0.05, 400).path[-1]
    labels = [mark.label for mark in Cliff().describe(()).panels[0].marks if isinstance(mark, Path) and mark.label]
    assert labels == [f"plain: ends at w = {last[0]:.0f}, b = {last[1]:.0f}", "clipped"]


def test_the_cliff_is_the_same_for_any_runs() -> None:
    assert Cliff().describe([FakeRun()]).frame.equals(Cliff().describe(()).frame)


def test_a_long_path_keeps_its_turns_its_ends_and_its_gaps() -> None:
    turn = np.linspace(0, 200 * np.pi, 100_000)
    x, y = 0.5 + 0.4 * np.cos(turn), 0.5 + 0.4 * np.sin(turn)
    x[50_000] = np.nan
    kept = trail(x, y)
    assert {0, 49_999, 50_000, 50_001, 99_999} <= set(kept.tolist())
    steady = trail(np.full(5000, 0.3), np.full(5000, 0.3))
    assert len(steady) <= 2 < MOST_ON_A_LINE
