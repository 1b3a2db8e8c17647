"""Lightning's trainer, watched: what the callback records is what a plain loop with `gradviz.watch` records."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.errors import GradvizError
from gradviz.findings import verdicts
from gradviz.watching import lightning
from tests.watching import Small, batch, hooks_on, torch

pl = pytest.importorskip("pytorch_lightning", reason="Lightning is not installed: pip install pytorch-lightning")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]  # Lightning warns of much: of itself, of PyTorch, of few cores
UPDATES, LIMIT = 5, 0.05


class Module(pl.LightningModule):
    def __init__(self, breaks_at: int = -1) -> None:
        super().__init__()
        self.small, self.breaks_at = Small(num_layers=2), breaks_at

    def training_step(self, inputs: Any, index: int) -> Any:
        if index == self.breaks_at:
            raise RuntimeError("no more")
        return self.small(inputs[0]).square().mean()

    def validation_step(self, inputs: Any, index: int) -> Any:
        return self.small(inputs[0]).square().mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(module: Module, folder: Path, batches: int = UPDATES, **options: Any) -> gradviz.Run:
    data = torch.utils.data.DataLoader([batch(seed=k) for k in range(batches)], batch_size=1)
    callback = gradviz.lightning_callback(folder, every=2)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[callback], gradient_clip_val=LIMIT, **quiet, **options)
    trainer.fit(module, data, data)
    return gradviz.load(folder)


def loop(folder: Path, gather: int = 1) -> gradviz.Run:
    module = Module()
    optimizer = module.configure_optimizers()
    with gradviz.watch(module, folder, every=2) as run:
        for k in range(0, UPDATES * gather, gather):
            optimizer.zero_grad()
            for part in range(gather):
                loss = module.training_step([batch(seed=k + part)], k)
                (loss / gather).backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), LIMIT)
            optimizer.step()
            run.step(loss)
    return gradviz.load(folder)


@pytest.mark.parametrize("gather", [1, 2])
def test_a_fit_is_the_run_that_a_plain_loop_is(gather: int, tmp_path: Path) -> None:
    module = Module()
    found = fit(module, tmp_path / "fit", UPDATES * gather, accumulate_grad_batches=gather)
    wanted = loop(tmp_path / "loop", gather)
    assert found.status == "finished"
    assert hooks_on(module) == 0
    assert found.steps["step"].tolist() == list(range(UPDATES))
    assert found.steps["clipped"].any()
    for name in ("norm_before", "norm_after", "threshold"):
        np.testing.assert_allclose(found.steps[name], wanted.steps[name], rtol=1e-6)
    np.testing.assert_allclose(np.stack(found.reach["mean"]), np.stack(wanted.reach["mean"]), rtol=1e-5, atol=1e-5)
    said = {verdict.code: verdict for verdict in verdicts(found)}
    assert said["replay"].word == "agrees"


def test_a_fit_that_breaks_leaves_the_module_as_it_was(tmp_path: Path) -> None:
    module = Module(breaks_at=3)
    with pytest.raises(RuntimeError, match="no more"):
        fit(module, tmp_path / "run")
    run = gradviz.load(tmp_path / "run")
    assert (run.status, len(run.steps)) == ("failed", 3)
    assert "no more" in run.meta["error"]
    assert hooks_on(module) == 0


def test_without_lightning_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightning, "PACKAGES", ("no_such_library",))
    with pytest.raises(GradvizError, match="pip install lightning"):
        gradviz.lightning_callback("folder")
