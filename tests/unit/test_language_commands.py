"""gradviz sample and gradviz probability."""

import shutil
from pathlib import Path

import pytest

from gradviz.config import Experiment, Model, Recording, Training
from gradviz.frames import load
from gradviz.language import Choice, probability, sample
from gradviz.tasks import TASKS
from gradviz.training import train


@pytest.fixture
def run(trained: Path, here: Path) -> Path:
    return Path(shutil.copytree(trained / "text-lstm", here / "run"))


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run over words."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "cats.txt").write_text("The cat sleeps. A dog barks! The dog sleeps? " * 60, encoding="utf-8")
    task = TASKS["text"](length=8, level="word", file=str(folder / "cats.txt"))
    recording = Recording(every=20, reach_every=20, probe_every=20, held_out=4)
    return train(Experiment(task, Model(units=8), Training(updates=20, batch=8), recording), folder / "run")


def test_sample_writes_what_python_writes(gradviz, run: Path) -> None:
    status, out, err = gradviz("sample", "run", "--prompt", "The ", "--temperature", "0.7", "--top-k", "9", "--top-p", "0.9", "--seed", "4")
    said = sample(run, "The ", choice=Choice(0.7, 9, 0.9), seed=4)
    assert status == 0
    assert out.rstrip("\n") == (said.prompt + said.text).expandtabs().rstrip("\n")
    assert err == "gradviz: stopped after 200 tokens, the --length.\n"


def test_sample_says_where_it_stopped_and_what_it_could_not_read(gradviz, words: Path) -> None:
    status, out, err = gradviz("sample", str(words), "--prompt", "The zebra", "--length", "40")
    assert status == 0
    assert out.startswith("The zebra")
    assert "not in the vocabulary, and read as <UNK>: 'zebra'." in err
    ended = [gradviz("sample", str(words), "--seed", str(seed))[2] for seed in range(3)]
    assert any("ended by itself after" in said for said in ended)
    assert gradviz("sample", str(words), "--length", "1", "--unknown")[2] == "gradviz: stopped after 1 token, the --length.\n"


def test_sample_cannot_steer_a_terminal(gradviz, run: Path) -> None:
    _, out, err = gradviz("sample", "run", "--prompt", "a\x1b[31m\x07\tb\nc", "--length", "1")
    assert out.startswith("a�[31m� b\nc")
    assert "\x1b" not in out + err
    assert "\x07" not in out + err


def test_sample_traces_beside_the_run_and_never_over_another(gradviz, run: Path) -> None:
    for name in ("run-trace", "run-trace-2"):
        status, _, err = gradviz("sample", "run", "--length", "20", "--trace")
        assert (status, f"recorded in {name}." in err) == (0, True)
        assert load(run.parent / name).meta["trace"]["of"] == "text-lstm"
    assert gradviz("sample", "run", "--length", "5", "--trace", "mine")[0] == 0
    status, _, err = gradviz("sample", "run", "--length", "5", "--trace", "mine")
    assert (status, "holds a run already" in err) == (2, True)
    assert gradviz("sample", "run", "--length", "7", "--trace", "mine", "--force", "--weights", "last")[0] == 0
    assert len(load(run.parent / "mine").words(0)) == 7
    status, _, err = gradviz("sample", "run", "--trace", "../mine")
    assert (status, "--trace is '../mine'; it must be a plain folder name" in err) == (2, True)
    assert "run-trace" in gradviz("runs", "list", ".")[1]
    assert gradviz("runs", "show", "mine")[0] == 0


REFUSED = {
    ("--temperature", "-1"): "Choice.temperature is -1; it must be between 0 and",
    ("--top-p", "0"): "Choice.top_p is 0; it must be above 0",
    ("--length", "0"): "length is 0; it must be at least 1",
    ("--weights", "worst"): "unknown weights 'worst'",
}


@pytest.mark.parametrize("flags", REFUSED)
def test_sample_refuses_what_cannot_be(gradviz, run: Path, flags: tuple[str, str]) -> None:
    status, out, err = gradviz("sample", "run", *flags)
    assert (status, out) == (2, "")
    assert REFUSED[flags] in err


def test_probability_shows_every_factor_and_their_product(gradviz, words: Path) -> None:
    status, out, err = gradviz("probability", str(words), "The cat sleeps.")
    said = probability(words, "The cat sleeps.")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[2:7]] == [[str(k + 1), token] for k, token in enumerate(said.tokens)]
    assert "over 5 tokens, its end included. Perplexity" in out
    assert "over 4 tokens. Perplexity" in gradviz("probability", str(words), "The cat sleeps.", "--no-eos")[1]


def test_probability_of_a_long_text_is_a_power_of_ten(gradviz, run: Path) -> None:
    out = gradviz("probability", "run", "unlikely " * 60)[1]
    exponent = -round(probability(run, "unlikely " * 60).log10)
    assert exponent > 330
    assert "Probability " in out
    assert " × 10⁻" in out.splitlines()[-1]


def test_probability_names_what_is_unknown_and_refuses_nothing(gradviz, words: Path, run: Path) -> None:
    status, out, err = gradviz("probability", str(words), "The \x1bzebra barks.", "--top", "0")
    assert status == 0
    assert "read as <UNK>: '\\x1b', 'zebra'." in err
    assert "\x1b" not in out + err
    status, _, err = gradviz("probability", "run", "")
    assert (status, "the text is empty" in err) == (2, True)
