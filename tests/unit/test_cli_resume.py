"""gradviz resume, and what is said of a language model's loss."""

from pathlib import Path

import pytest

from gradviz.frames import load
from gradviz.training import Progress, train

FLAGS = ["--task.length", "10", "--updates", "6", "--units", "4", "--batch", "4", "--held-out", "4", "--name", "cat"]
FLAGS += ["--validate-every", "2"]
SCORE = r"lowest held-out loss [\d.]+ nats = [\d.]+ bits per character, perplexity [\d.]+, after \d updates"


@pytest.fixture
def interrupted(gradviz, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training that Ctrl-C ended after four updates."""

    def stop(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gradviz.training.train", lambda *arguments, **rest: train(*arguments, **(rest | {"watch": stop})))
        status, _, err = gradviz("train", *FLAGS)
    assert status == 130
    assert "A training goes on with `gradviz resume RUN`" in err
    return here / "gradviz-runs" / "cat"


def test_a_run_goes_on_and_ends_as_usual(gradviz, interrupted: Path) -> None:
    import re

    assert load(interrupted).status == "interrupted"
    status, out, err = gradviz("resume", "gradviz-runs/cat")
    assert status == 0, err
    run = load(interrupted)
    assert (run.status, run.steps["step"].tolist()) == ("finished", list(range(6)))
    assert re.search(f"cat: {SCORE}", out)
    assert "gradviz dashboard gradviz-runs" in out
    assert "bits per character" in err  # the bar
    assert "perplexity" in out.splitlines()[0]


def test_a_finished_run_says_so_and_can_be_trained_longer(gradviz, interrupted: Path) -> None:
    assert gradviz("resume", "gradviz-runs/cat")[0] == 0
    status, _, err = gradviz("resume", "gradviz-runs/cat")
    assert (status, "Traceback" in err) == (2, False)
    assert "gradviz-runs/cat is finished: 6 updates are done. To train it longer, say how many there shall be: --updates 12." in err
    assert gradviz("resume", "gradviz-runs/cat", "--updates", "8")[0] == 0
    assert len(load(interrupted).steps) == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "there is no folder nowhere"),
        ((".",), "is not a run folder"),
        (("gradviz-runs/cat", "--updates", "many"), "--updates is 'many'; it must be a whole number"),
        (("gradviz-runs/cat", "--updates", "3"), "has come as far as that: 4 updates are done"),
        (("gradviz-runs/cat", "--updates", "-3"), "Training.updates is -3; it must be at least 0"),
    ],
)
def test_requests_that_cannot_be_met(gradviz, interrupted: Path, words: tuple[str, ...], message: str) -> None:
    status, _, err = gradviz("resume", *words)
    assert (status, "Traceback" in err) == (2, False)
    assert message in err
    assert load(interrupted).status == "interrupted"


def test_a_schedule_is_a_flag_like_any_other(gradviz, here: Path) -> None:
    words = ["--schedule", "cosine", "--schedule.warmup", "2", "--schedule.end", "0.5", "--optimizer.rate", "0.1", "--patience", "5"]
    assert gradviz("train", *FLAGS, *words)[0] == 0
    run = load(here / "gradviz-runs" / "cat")
    assert run.steps["rate"].tolist()[:3] == pytest.approx([0.001, 0.0505, 0.1])
    status, out, _ = gradviz("train", "--help")
    assert status == 0
    assert all(flag in out for flag in ("--schedule.warmup", "--validate-every", "--patience", "--checkpoint-every"))


def test_show_says_the_scores(gradviz, interrupted: Path) -> None:
    import re

    status, out, _ = gradviz("runs", "show", "gradviz-runs/cat")
    assert status == 0
    assert re.search("L" + SCORE[1:], out)
