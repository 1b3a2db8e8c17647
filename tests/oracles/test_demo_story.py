"""What the demo's page says of clipping is true of the runs it trains: the plain RNN explodes, and clipping leads it out."""

from pathlib import Path

import pytest

from gradviz.demo import experiments
from gradviz.findings._summary import headline, row
from gradviz.frames import Run, load
from gradviz.training import train


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder: Path = tmp_path_factory.mktemp("story")
    chosen = {name: experiment for name, experiment in experiments().items() if name in ("text-rnn", "text-rnn-clip")}
    return {name: load(train(experiment, folder / name)) for name, experiment in chosen.items()}


@pytest.mark.slow
def test_the_plain_rnn_explodes_and_clipping_tames_it(story: dict[str, Run]) -> None:
    assert {name: headline(run).word for name, run in story.items()} == {"text-rnn": "exploded", "text-rnn-clip": "tamed"}
    found = {name: row(run) for name, run in story.items()}
    for numbers in found.values():
        assert 1.1 < numbers["decay_start"] < 1.2
    assert found["text-rnn-clip"]["held_out_loss"] < min(story["text-rnn-clip"].meta["baselines"].values())
    assert found["text-rnn"]["held_out_loss"] > min(story["text-rnn"].meta["baselines"].values())
    assert found["text-rnn-clip"]["share_clipped"] > 0.1
