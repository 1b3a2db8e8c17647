"""The benchmark compares like with like: its contenders give the same numbers, and it says so when they do not."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")


@pytest.fixture(autouse=True)
def _its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    yield
    for name in ("agree", "dynamics", "job", "with_gradviz", "with_torch"):
        sys.modules.pop(name, None)


@pytest.mark.torch
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_contenders_agree_and_a_difference_is_noticed(cell: str) -> None:
    import agree
    import with_gradviz
    import with_torch
    from job import Size, job

    given = job(cell, Size(3, 6, 2, 8))
    ours, theirs = with_gradviz.recorded(given), with_torch.recorded(given)
    agree.check(given, ours, theirs, "PyTorch")
    wrong = theirs()
    wrong["d_norms"][0] = wrong["d_norms"][0] * 1.01  # type: ignore[index, operator]
    with pytest.raises(SystemExit, match="PyTorch and gradviz differ in gradient_norm of hidden"):
        agree.check(given, ours, lambda: wrong, "PyTorch")
    assert with_gradviz.products(given)() is None
    assert np.isfinite(ours()["outputs"]).all()  # type: ignore[call-overload]


@pytest.mark.torch
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_instruments_and_pytorchs_jacrev_agree(cell: str) -> None:
    import dynamics

    case = dynamics.Case(cell, 20, 5)
    matrices = dynamics.matrices(case)  # compares before it gives anything to be timed
    np.testing.assert_allclose(matrices["gradviz"](), matrices["jacrev"](), rtol=1e-8, atol=1e-12)
    assert len(dynamics.spectra(dynamics.Case(cell, 200, 4))["gradviz"]()) == 4 * (2 if cell == "lstm" else 1)
