"""What the charts of exact dynamics say where runs differ in task, or where numbers are none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.arrays import Array
from gradviz.charts import CHARTS, highway, lyapunov
from gradviz.charts._description import Heat
from gradviz.charts._twice import Looked, Twice
from gradviz.dynamics.lyapunov import Spectrum
from gradviz.dynamics.matrix import GradientMatrix
from gradviz.frames import Run, load_runs
from gradviz.reports import report
from tests.chart_runs import FakeRun
from tests.synthetic import Variant, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A text and a task with one loss at the end, both learned by LSTMs, and one read both ways."""
    out = tmp_path_factory.mktemp("titles")
    make_run(out / "text", "lstm", True, steps=2, variant=Variant(time=12))
    make_run(out / "adding", "lstm", False, "adding", steps=2, variant=Variant(time=12))
    make_run(out / "both", "gru", steps=2, variant=Variant(time=12, direction="both"))
    return {run.path.name: run for run in load_runs(sorted(out.iterdir()))}


def strip(largest: float, drift: float = 0.0, steps: int = 90) -> lyapunov.Strip:
    exponents = np.array([largest, -3.0])
    return lyapunov.Strip(Spectrum(exponents, exponents[None], steps, drift), 2)


def said_of(monkeypatch: pytest.MonkeyPatch, **strips: lyapunov.Strip) -> str:
    found = tuple(Twice[Any](FakeRun(family), strip, None) for family, strip in strips.items())  # type: ignore[arg-type]
    monkeypatch.setattr(lyapunov, "twice", lambda *given: Looked(found, ""))
    return CHARTS["lyapunov"]().describe([one.run for one in found]).title


def test_a_verb_is_said_again_after_a_family_with_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the LSTM, whose exponent is known, would stand among those of which nothing can be told."""
    title = said_of(monkeypatch, rnn=strip(-0.5), gru=strip(np.nan, np.nan), lstm=strip(-0.25))
    assert title == (
        "While a sequence is read small differences fade in the RNN (λ₁ −0.5), cannot be told in the GRU and fade in the LSTM (λ₁ −0.25)"
    )
    assert said_of(monkeypatch, rnn=strip(-np.inf), gru=strip(-0.5)).endswith("fade at once in the RNN and fade in the GRU (λ₁ −0.5)")


def test_an_exponent_is_known_to_a_factor_e_over_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other first directions, drawn by chance, give another sign to so small a one, also where both halves happen to agree."""
    assert "hardly change" in said_of(monkeypatch, rnn=strip(-0.003, drift=0.0007))
    assert "fade" in said_of(monkeypatch, rnn=strip(-0.003, drift=0.0007, steps=9000))
    assert "grow" in said_of(monkeypatch, rnn=strip(0.02, drift=0.0007))


def test_tasks_with_one_loss_and_with_many_are_not_said_to_be_alike(runs: dict[str, Run]) -> None:
    title = CHARTS["gradient_matrix"]().describe([runs["text"], runs["adding"]]).title.casefold()
    assert "the median loss reaches back" in title
    assert "; the loss at the end reaches back" in title
    assert "both" not in title


def test_one_run_that_is_refused_takes_no_other_with_it(runs: dict[str, Run]) -> None:
    """Step 5 of a text; the network of the other task is refused because it has not as many layers."""
    make: Any = CHARTS["gradient_matrix"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradviz.charts.gradient_matrix.place", _only_texts)
        said = make().describe([runs["text"], runs["adding"]])
    assert set(said.frame["run"]) == {runs["text"].label}
    assert f"Left out: {runs['adding'].label}." in said.subtitle


def test_a_lower_panel_says_whose_it_is(runs: dict[str, Run]) -> None:
    make = CHARTS["gradient_matrix"]()
    assert [panel.heading for panel in make.describe([runs["text"]]).panels] == ["LSTM", "LSTM"]
    mixed = make.describe([runs["adding"], runs["text"]]).panels
    assert len(mixed) == 3
    (upper,) = [panel for panel in mixed[:2] if isinstance(panel.marks[0], Heat)]
    assert (mixed[2].heading, mixed[2].note) == (upper.heading, upper.note) != ("", "")


def _only_texts(known: Any, layer: int, point: str) -> str:
    from gradviz.errors import GradvizError

    if known.network.signature.at == "last":
        raise GradvizError("there is no such layer")
    return "layers.0.forward.cell"


@pytest.mark.parametrize(("value", "words"), [(0.0, "reaches back nothing in"), (np.nan, "reaches back an unknown number of steps in")])
def test_no_gradient_is_not_the_same_as_no_number(value: float, words: str, runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradviz.charts.gradient_matrix._matrix", lambda known, where: _matrix(np.full((6, 6), value)))
    assert words in CHARTS["gradient_matrix"]().describe([runs["text"]]).title


def test_a_loss_without_gradient_does_not_hide_the_reach_of_the_others(runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    norms = np.array([[10.0 ** (-1.5 * (row - column)) if column <= row else 0.0 for column in range(6)] for row in range(6)])
    norms[4] = 0
    monkeypatch.setattr("gradviz.charts.gradient_matrix._matrix", lambda known, where: _matrix(norms))
    assert "reaches back 2 steps" in CHARTS["gradient_matrix"]().describe([runs["text"]]).title


def _matrix(norms: Array) -> GradientMatrix:
    return GradientMatrix(np.arange(len(norms)), norms, np.zeros_like(norms), np.ones(len(norms)))


@pytest.mark.parametrize(
    ("value", "words"), [(-np.inf, "nothing, for nothing arrives, in the LSTM"), (np.nan, "an unknown share in the LSTM")]
)
def test_no_share_is_said_with_its_reason(value: float, words: str, runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = highway._highway

    def ended(known: Any, layer: int) -> Any:
        way = whole(known, layer)
        direct, rest = way.log_direct.copy(), way.log_rest.copy()
        direct[-1], rest[-1] = value, value
        return replace(way, log_direct=direct, log_rest=rest)

    monkeypatch.setattr(highway, "_highway", ended)
    assert words in CHARTS["highway"]().describe([runs["text"]]).title


def test_a_run_that_is_read_both_ways_is_not_said_to_be_unrecorded(runs: dict[str, Run]) -> None:
    for name in ("jacobian_fan", "highway", "lyapunov", "phase"):
        subtitle = CHARTS[name]().describe([runs["text"], runs["both"]]).subtitle
        assert "Not recorded" not in subtitle
        assert f"Left out: {runs['both'].label}." in subtitle, name


def test_a_page_says_which_picture_is_not_there(runs: dict[str, Run], tmp_path: Path) -> None:
    page = report([runs["both"]], kind="vanishing", static=True).html()
    for name in ("jacobian fan", "lyapunov", "highway"):
        assert f">No picture: {name}</h3>" in page
