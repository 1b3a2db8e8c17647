"""The command line: every command, and what it says when it cannot do what it is asked."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradviz import __version__
from gradviz.commands import COMMANDS
from gradviz.commands._console import printable
from gradviz.frames import load

SMALL = ["--task", "adding", "--task.length", "20", "--updates", "3", "--units", "4", "--batch", "4", "--held-out", "4"]


# ---------------------------------------------------------------------- help


def test_version(gradviz) -> None:
    assert gradviz("--version") == (0, f"gradviz {__version__}\n", "")


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_tells_a_newcomer_what_to_type(gradviz, words: list[str]) -> None:
    status, out, _ = gradviz(*words)
    assert status == 0
    assert "gradviz demo" in out
    assert all(name in out and " ".join(out.split()).count(COMMANDS[name].summary) == 1 for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS.names())
def test_every_command_explains_itself(gradviz, name: str) -> None:
    status, out, _ = gradviz(name, "--help")
    assert status == 0
    assert out.startswith(f"usage: gradviz {name}")


def test_an_unknown_command_lists_the_commands(gradviz) -> None:
    status, _, err = gradviz("trian")
    assert status == 2
    assert all(name in err for name in COMMANDS)


GUESSES = {"--unit": "--units", "--cell.activaton": "--cell.activation", "--probe_evry": "--probe-every"}


@pytest.mark.parametrize(("word", "guess"), GUESSES.items())
def test_an_unknown_flag_gets_a_guess(gradviz, word: str, guess: str) -> None:
    status, _, err = gradviz("train", word, "1")
    assert status == 2
    assert f"Did you mean {guess}?" in err
    assert "Traceback" not in err


# ---------------------------------------------------------------------- train and compare


def test_train_records_a_run_and_says_where(gradviz, here: Path) -> None:
    status, out, _ = gradviz("train", *SMALL, "--cell", "gru", "--clipping", "norm", "--clipping.limit", "0.5", "--reach_every", "2")
    assert status == 0
    run = load(here / "gradviz-runs" / "adding-gru-norm")
    assert (run.status, len(run.steps), run.family, run.clipped) == ("finished", 3, "gru", True)
    assert run.experiment.training.clipping.limit == 0.5
    assert run.experiment.recording.reach_every == 2
    assert run.meta["name"] == "adding-gru-norm"
    assert "adding-gru-norm" in out
    assert "gradviz dashboard gradviz-runs" in out


def test_train_never_replaces_a_run_by_itself(gradviz, here: Path) -> None:
    for _ in range(2):
        assert gradviz("train", *SMALL)[0] == 0
    assert sorted(path.name for path in (here / "gradviz-runs").iterdir()) == ["adding-lstm", "adding-lstm-2"]
    assert gradviz("train", *SMALL, "--name", "mine", "--seed", "1")[0] == 0
    status, _, err = gradviz("train", *SMALL, "--name", "mine", "--seed", "2")
    assert status == 2
    assert "mine" in err
    assert load(here / "gradviz-runs" / "mine").experiment.training.seed == 1
    assert gradviz("train", *SMALL, "--name", "mine", "--seed", "2", "--force")[0] == 0
    assert load(here / "gradviz-runs" / "mine").experiment.training.seed == 2


def test_a_text_file_alone_is_a_task(gradviz, here: Path) -> None:
    (here / "my.txt").write_text("the cat sat on the mat. " * 40, encoding="utf-8")
    status, _, err = gradviz("train", "my.txt", "--task.length", "10", "--updates", "2", "--units", "4", "--held-out", "2", "--out", "out")
    assert status == 0, err
    assert (
        load(here / "out" / "text-lstm").experiment.to_dict()["task"] | {"name": "text", "file": "my.txt", "length": 10}
        == (load(here / "out" / "text-lstm").experiment.to_dict()["task"])
    )


@pytest.mark.parametrize(("task", "extra"), [("numbers", ("--direction", "both", "--layers", "2")), ("sine", ())])
def test_other_shapes_go_from_training_to_a_report(gradviz, here: Path, task: str, extra: tuple[str, ...]) -> None:
    status, out, err = gradviz("train", "--task", task, "--updates", "3", "--units", "4", "--batch", "4", "--held-out", "4", *extra)
    assert status == 0, err
    assert ("479 → " in out) == (task == "numbers")
    assert gradviz("report")[0] == 0
    assert (here / "gradviz-report.html").stat().st_size > 10_000


def test_an_encoder_and_a_decoder_refuse_truncation(gradviz, here: Path) -> None:
    status, _, err = gradviz("train", "--task", "numbers", "--truncation", "5")
    assert status == 2
    assert "truncation does not go with an encoder–decoder network" in err
    assert not list(here.iterdir())


def test_compare_trains_the_product_and_writes_a_report(gradviz, here: Path) -> None:
    status, out, err = gradviz("compare", *SMALL, "--cell", "rnn,gru", "--clipping", "none,norm", "--processes", "1")
    assert status == 0, err
    names = ["adding-rnn", "adding-rnn-norm", "adding-gru", "adding-gru-norm"]
    folder = here / "gradviz-runs" / "compare"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "report.html"])
    assert all(name in out for name in names)
    assert "report.html" in out
    assert (folder / "report.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_compare_names_runs_by_what_differs(gradviz, here: Path) -> None:
    words = ["--cell", "rnn", "--seed", "0,1", "--optimizer.rate", "0.1,0.01", "--name", "rates", "--processes", "1"]
    assert gradviz("compare", *SMALL, *words)[0] == 0
    made = {path.name for path in (here / "gradviz-runs" / "rates").iterdir() if path.is_dir()}
    assert made == {f"adding-rnn-rate{rate}-seed{seed}" for rate in ("0.1", "0.01") for seed in (0, 1)}


# ---------------------------------------------------------------------- runs and report


def test_runs_list_shows_all_and_names_what_is_broken(gradviz, trained: Path, here: Path) -> None:
    shutil.copytree(trained, here / "gradviz-runs")
    (here / "gradviz-runs" / "broken").mkdir()
    (here / "gradviz-runs" / "broken" / "run.json").write_text("{", encoding="utf-8")
    status, out, _ = gradviz("runs", "list")
    assert status == 0
    assert "text-rnn-norm" in out
    assert "text-lstm" in out
    assert "broken" in out
    header, rule, *rows = out.splitlines()
    assert "gradient per step back" in header
    assert len(rule) == len(header) == len(rows[0])  # a table, also in a pipe


def test_runs_list_tells_runs_of_one_name_apart(gradviz, trained: Path, here: Path) -> None:
    for folder in ("gradviz-runs/text-lstm", "gradviz-runs/compare/text-lstm"):
        shutil.copytree(trained / "text-lstm", here / folder)
    _, out, _ = gradviz("runs", "list")
    shown = [line.split()[0] for line in out.splitlines() if "text-lstm" in line]
    assert shown == ["compare/text-lstm", "text-lstm"]
    _, out, _ = gradviz("runs", "list", "gradviz-runs/compare/text-lstm")
    assert "text-lstm" in out


def test_runs_show_says_what_is_missing(gradviz, trained: Path, here: Path) -> None:
    folder = Path(shutil.copytree(trained / "text-lstm", here / "run"))
    assert "Not all of it is there" not in gradviz("runs", "show", "run")[1]
    steps = folder / "tables" / "steps-0001.arrows"
    steps.write_bytes(steps.read_bytes()[:-100])
    assert "Not all of it is there" in gradviz("runs", "show", "run")[1]


def test_runs_list_of_an_empty_folder(gradviz, here: Path) -> None:
    status, out, _ = gradviz("runs", "list", str(here))
    assert status == 0
    assert "gradviz demo" in out


def test_runs_show_has_settings_tables_and_findings(gradviz, trained: Path) -> None:
    status, out, _ = gradviz("runs", "show", str(trained / "text-rnn-norm"))
    assert status == 0
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert lines["clipping.limit"] == ["0.2"]
    assert lines["direction"] == ["forward"]
    assert lines["steps"] == ["12"]
    assert out.count("clips") or "clipping" in out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_runs_export_writes_the_tables(gradviz, trained: Path, here: Path, kind: str) -> None:
    import pandas as pd

    words = ("runs", "export", str(trained / "text-lstm"), "--to", "tables", "--format", kind, "--table", "steps")
    assert gradviz(*words)[0] == 0
    (file,) = list((here / "tables").iterdir())
    frame = pd.read_csv(file) if kind == "csv" else pd.read_parquet(file)
    assert list(frame["loss"]) == pytest.approx(list(load(trained / "text-lstm").steps["loss"]))
    status, _, err = gradviz(*words)
    assert status == 2
    assert "exist" in err
    assert gradviz(*words, "--force")[0] == 0


def test_report_writes_one_page_and_does_not_replace_it(gradviz, trained: Path, here: Path) -> None:
    status, out, err = gradviz("report", str(trained), "--out", "page.html")
    assert status == 0, err
    assert "page.html" in out
    page = (here / "page.html").read_text(encoding="utf-8")
    assert "text-rnn-norm" in page or "RNN" in page
    assert gradviz("report", str(trained), "--out", "page.html")[0] == 2
    assert gradviz("report", str(trained), "--out", "page.html", "--force")[0] == 0


def test_a_report_of_a_folder_leaves_a_damaged_run_out_and_says_so(gradviz, trained: Path, here: Path) -> None:
    shutil.copytree(trained, here / "runs")
    (here / "runs" / "text-lstm" / "run.json").write_text("{")
    status, _, err = gradviz("report", "runs", "-o", "page.html")
    assert status == 0
    assert "left out" in err
    assert "text-lstm" in err
    status, _, err = gradviz("report", "runs/text-lstm", "-o", "other.html")
    assert status == 2
    assert "run.json" in err


def test_the_dashboard_gets_what_was_asked_for(gradviz, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradviz.dashboards import launch

    asked: list[object] = []
    monkeypatch.setattr(launch, "launch", lambda *given: asked.append(given))
    assert gradviz("dashboard", str(trained), "--port", "8765", "--no-browser", "--host", "0.0.0.0")[0] == 0
    assert gradviz("dashboard")[0] == 0
    assert asked == [(trained, 8765, False, "0.0.0.0"), (Path("gradviz-runs"), None, True, "127.0.0.1")]


# ---------------------------------------------------------------------- processes


def test_numpy_loads_with_one_blas_thread() -> None:
    code = "import sys, os, gradviz.cli; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]


def test_interrupting_leaves_a_readable_run(here: Path) -> None:
    words = [sys.executable, "-m", "gradviz", "train", "--task", "adding", "--updates", "100000", "--units", "4", "--name", "long"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while not list(here.glob("gradviz-runs/long/tables/steps*")) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()  # should it not have heard: under a shell that ignores Ctrl-C for its children
    assert process.returncode == 130
    assert "`gradviz runs list gradviz-runs`" in err
    assert "Traceback" not in err
    run = load(here / "gradviz-runs" / "long")
    assert run.status == "interrupted"
    assert len(run.steps) > 0


def test_a_reader_that_goes_away_is_no_error(trained: Path) -> None:
    command = f"{sys.executable} -m gradviz runs show {trained / 'text-lstm'} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_output_survives_a_terminal_that_knows_only_ascii(trained: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "gradviz", "runs", "list", str(trained)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "text-lstm" in done.stdout


def test_names_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\nd") == "a�[31mb�c�d"
    assert printable("61\u202f% × größer") == "61\u202f% × größer"
