"""A language model on real text learns as well as PyTorch's, from the same weights on the same batches, and beats counting trigrams."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower
UPDATES = 300


@pytest.fixture(autouse=True)
def _its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    yield
    sys.modules.pop("language", None)


@pytest.mark.torch
@pytest.mark.slow
def test_bits_per_character_are_pytorchs_and_fewer_than_a_trigram_models() -> None:
    import language

    bits = language.quality(UPDATES)
    assert bits["gradviz"] == pytest.approx(bits["PyTorch"], rel=0.01)
    assert bits["gradviz"] < bits["letter trigrams"]
