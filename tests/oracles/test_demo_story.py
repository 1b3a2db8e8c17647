"""What the demo's page and `gradviz diagnose` say of the demo's runs is true of them, and PyTorch finds the same numbers.

The exploding network, the clipped one, the one whose gradient vanishes and the healthy one: each is named, and its numbers are taken again
from its weights by PyTorch's automatic differentiation, NumPy's line fit and a printed t.
"""

import math
from functools import partial

import numpy as np
import pytest

from gradviz.cli import main
from gradviz.demo import experiments
from gradviz.findings import FINDINGS
from gradviz.findings._summary import headline, row
from gradviz.frames import Run, load
from gradviz.recording.reopen import reopen
from gradviz.training import train
from tests.shared import once

WORDS = {"text-rnn": "exploded", "text-rnn-clip": "tamed", "adding-rnn": "vanishing", "adding-lstm": "reaches back"}
T_63 = 1.998  # Student's t for 64 sequences, 95 %, as tables print it


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return {name: load(once(tmp_path_factory, name, partial(train, experiments()[name]))) for name in WORDS}


@pytest.mark.slow
def test_each_run_is_named_for_what_it_is(story: dict[str, Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert {name: headline(run).word for name, run in story.items()} == WORDS
    for name, run in story.items():
        severe = name in ("text-rnn", "adding-rnn")
        assert main(["diagnose", str(run.path)]) == int(severe)
        assert f"{name}: {WORDS[name]}" in capsys.readouterr().out
    healthy = [FINDINGS[name]().check(story["adding-lstm"]) for name in FINDINGS]
    assert {verdict.code: verdict.summary for verdict in healthy if verdict.severity in ("critical", "warning", "note")} == {}
    assert FINDINGS["initialization"]().check(story["text-rnn"]).word == "far off"


@pytest.mark.slow
def test_the_plain_rnn_explodes_and_clipping_tames_it(story: dict[str, Run]) -> None:
    found = {name: row(story[name]) for name in ("text-rnn", "text-rnn-clip")}
    for numbers in found.values():
        assert 1.1 < numbers["decay_start"] < 1.2
    assert found["text-rnn-clip"]["held_out_loss"] < min(story["text-rnn-clip"].meta["baselines"].values())
    assert found["text-rnn"]["held_out_loss"] > min(story["text-rnn"].meta["baselines"].values())
    assert found["text-rnn-clip"]["share_clipped"] > 0.1


def profiles(run: Run, weights: str) -> np.ndarray:
    """(lag, sequence) log10 norms of the last loss's gradient at the state that reaches furthest: an explicit loop in PyTorch."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
    again = reopen(run.path, weights)
    network, batch = again.network, again.known.held_out(again.experiment.recording.held_out)
    given = {name: torch.tensor(array.astype(np.float64)) for name, array in network.parameters.items()}
    ih, hh, bias = (given[f"layers.0.forward.{name}"] for name in ("weight_ih", "weight_hh", "bias"))
    tokens = batch.inputs.ndim == 2
    x = np.eye(network.signature.inputs + 1)[batch.inputs][..., :-1] if tokens else batch.inputs  # of no token, −1, nothing is left
    h = c = torch.zeros(batch.size, network.model.units, dtype=torch.float64)
    kept = []
    for read in torch.tensor(np.asarray(x, np.float64)):
        blocks = dict(zip(network.model.cell.blocks, torch.einsum("bi,kiu->kbu", read, ih) + h @ hh + bias[:, None], strict=True))
        if len(blocks) == 1:
            h = torch.tanh(blocks["state"]).requires_grad_()
        else:
            i, f, o = (torch.sigmoid(blocks[gate]) for gate in ("input", "forget", "output"))
            c = (f * c + i * torch.tanh(blocks["candidate"])).requires_grad_()
            h = o * torch.tanh(c)
        kept.append(h if len(blocks) == 1 else c)
        kept[-1].retain_grad()
    outputs = h @ given["readout.weight"] + given["readout.bias"]
    if tokens:
        loss = torch.nn.functional.cross_entropy(outputs, torch.tensor(batch.targets[-1].astype(np.int64)), reduction="sum")
    else:
        loss = ((outputs - torch.tensor(batch.targets)) ** 2).sum()
    loss.backward()
    return np.log10(np.stack([state.grad.norm(dim=1).numpy() for state in reversed(kept)]))


def lines(found: np.ndarray) -> tuple[float, float, float]:
    """Factor per step back from lag 5 on, with its interval over sequences."""
    slopes = np.polyfit(np.arange(5, len(found)), found[5:], 1)[0]
    middle, width = slopes.mean(), T_63 * slopes.std(ddof=1) / math.sqrt(found.shape[1])
    return 10**middle, 10 ** (middle - width), 10 ** (middle + width)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize(("name", "when"), [(name, when) for name in WORDS for when in ("start", "end")])
def test_pytorch_finds_the_numbers_of_the_verdict(story: dict[str, Run], name: str, when: str) -> None:
    run, found = story[name], profiles(story[name], "start" if when == "start" else "last")
    numbers = FINDINGS["vanishing"]().check(run).numbers
    told = [numbers[f"{part}_{when}"] for part in ("decay", "decay_low", "decay_high")]
    np.testing.assert_allclose(told, lines(found), rtol=2e-4)
    mean = found.mean(axis=1)
    below = np.flatnonzero(mean < mean[0] - 2)
    assert numbers[f"horizon_{when}"] == (below[0] if len(below) else math.inf)
    decay = lines(found)[0]
    assert numbers[f"half_life_{when}"] == pytest.approx(math.log(0.5) / math.log(decay) if decay < 1 else math.inf, rel=1e-2)
    if when == "start" and name == "text-rnn":
        growth = FINDINGS["exploding"]().check(run).numbers["growth_decades"]
        assert growth == pytest.approx(mean.max() - mean[0], rel=1e-3)
    if when == "end" and name == "adding-rnn":
        assert numbers["log10_at_lag"] == pytest.approx(mean[75] - mean[0], rel=1e-4)
