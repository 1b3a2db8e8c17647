"""The scripts of examples/ run as they stand, shortened."""

import importlib.util
import re
from pathlib import Path

import pytest

import gradviz
from tests.documents import ROOT

pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
pytestmark = pytest.mark.torch


def test_a_watched_language_model_ends_in_the_demo_s_report(tmp_path: Path, trained: Path) -> None:
    spec = importlib.util.spec_from_file_location("watch_pytorch", ROOT / "examples/watch_pytorch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.main(["--updates", "21", "--out", str(tmp_path / "out")]).read_text(encoding="utf-8")

    demo = gradviz.report([gradviz.load(trained / "text-lstm")], kind="demo").write(tmp_path / "demo.html").read_text(encoding="utf-8")
    headings = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)
    assert headings.findall(page) == [text for text in headings.findall(demo) if text != "What it reads and writes"]
    assert "On a watched model" in page or "on a watched model" in page
    run = gradviz.load(tmp_path / "out" / "lstm")
    assert (run.family, run.status, len(run.steps)) == ("lstm", "finished", 21)
    assert run.meta["watched"]["replay"]["rnn"]["differs_at"] == []
    assert run.steps["loss"].iloc[-1] < run.steps["loss"].iloc[0]
    assert len(run.words(0) or []) == 100


def test_it_is_an_ordinary_loop_with_two_lines_more() -> None:
    lines = (ROOT / "examples/watch_pytorch.py").read_text(encoding="utf-8").splitlines()
    assert [line.strip().split("(")[0] for line in lines if line.endswith("# +")] == ["with gradviz.watch", "run.step"]
