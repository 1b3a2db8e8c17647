"""Logs of other programs become runs: every number arrives, every gap stays one, and what cannot be read is named with its line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gradviz
from gradviz.errors import GradvizError, RunError
from gradviz.exchange import _text, import_csv
from gradviz.findings import verdicts
from gradviz.frames import load
from tests import logs

NAN = np.nan


def imported(tmp_path: Path, text: str | bytes, columns: dict[str, Any] | None = None, **options: Any) -> Any:
    log = tmp_path / "log.csv"
    log.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(import_csv(log, tmp_path / "run", columns, **options))


def refused(tmp_path: Path, text: str | bytes, message: str, columns: dict[str, Any] | None = None, **options: Any) -> None:
    """An error that says so, and nothing left on the disk but the log."""
    with pytest.raises(GradvizError, match=message):
        imported(tmp_path, text, columns, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_a_log_of_lightning_arrives_number_by_number(tmp_path: Path) -> None:
    run = load(import_csv(logs.lightning(tmp_path), tmp_path / "runs" / "mine", threshold=1.5, profiles=logs.lags(tmp_path)))
    steps = run.steps
    assert (run.name, run.status, run.family, run.label) == ("mine", "finished", "other", "mine, clipped")
    assert steps["step"].tolist() == list(range(logs.STEPS))
    np.testing.assert_array_equal(steps["loss"], [round(4 - 0.04 * step, 4) for step in range(logs.STEPS)])
    norms = np.array([5000.0 if step == 40 else 1.0 + 0.5 * (step % 3) for step in range(logs.STEPS)])
    np.testing.assert_array_equal(steps["norm_before"], norms)
    np.testing.assert_array_equal(steps["norm_after"], np.minimum(norms, 1.5))
    np.testing.assert_array_equal(steps["clipped"], norms > 1.5)
    assert set(steps["rate"]) == {0.01}
    assert run.held_out["step"].tolist() == [9, 19, 29, 39, 49, 59]
    parameters = run.parameters
    assert set(parameters["parameter"]) == {"lstm.weight_hh_l0", "fc.weight"}
    np.testing.assert_allclose(parameters.loc[parameters["parameter"] == "fc.weight", "gradient_before"], 0.8 * norms, rtol=1e-15)
    assert parameters["weight"].isna().all()
    np.testing.assert_allclose(run.table("reach")["decay"], [0.5, 0.7, 0.9], rtol=1e-12)
    np.testing.assert_allclose(run.table("reach")["mean"].iloc[1], np.arange(30) * np.log10(0.7), rtol=1e-12)
    assert any("'epoch'" in note for note in run.remarks)


def test_what_was_not_measured_is_no_nan(tmp_path: Path) -> None:
    run = imported(tmp_path, "step,grad_norm\n0,1\n1,2\n")
    assert {"loss", "norm_after", "clipped", "cosine"} <= set(run.unmeasured)
    assert (run.label, run.setting("training", "clipping", "name")) == ("run", "")
    verdict = next(verdict for verdict in verdicts(run) if verdict.code == "non_finite")
    assert verdict.severity == "good", verdict.summary
    assert "loss" not in verdict.summary


def test_nan_and_infinity_are_kept_in_any_spelling(tmp_path: Path) -> None:
    run = imported(tmp_path, "step,loss,grad_norm\n0,NaN,inf\n1,-Infinity,nan\n2,-nan,+INF\n3,1e-320,0\n")
    np.testing.assert_array_equal(run.steps["loss"], [NAN, -np.inf, NAN, 1e-320])
    np.testing.assert_array_equal(run.steps["norm_before"], [np.inf, NAN, np.inf, 0.0])
    assert next(verdict for verdict in verdicts(run) if verdict.code == "non_finite").severity == "critical"


def test_the_norm_of_the_whole_is_that_of_its_parts(tmp_path: Path) -> None:
    run = imported(tmp_path, "step,grad_norm/a,grad_norm/b\n0,3,4\n1,3e-200,4e-200\n")
    np.testing.assert_allclose(run.steps["norm_before"], [5.0, 5e-200], rtol=1e-15)
    assert any("put together from the 2 parameters" in note for note in run.remarks)


def test_steps_of_which_something_is_missing_are_counted(tmp_path: Path) -> None:
    text = "step,loss,grad_norm\n0,1,1\n1,1,\n2,,3\n3,1,4\n"
    run = imported(tmp_path, text)
    assert run.steps["step"].tolist() == [0, 3]
    assert any("2 training steps have loss and norms" in note and "2 have only some" in note for note in run.remarks)
    folder = import_csv(tmp_path / "log.csv", tmp_path / "norms", {"loss": None})
    assert load(folder).steps["step"].tolist() == [0, 2, 3]


def test_a_threshold_that_moves(tmp_path: Path) -> None:
    run = imported(tmp_path, "step,grad_norm,max_norm\n0,5,inf\n1,5,2\n2,5,1\n3,inf,1\n")
    assert run.steps["norm_after"].tolist()[:3] == [5, 2, 1]
    assert np.isnan(run.steps["norm_after"][3]), "1 / ∞ · ∞"
    assert run.steps["clipped"].tolist() == [False, True, True, True]
    assert run.meta["experiment"]["training"]["clipping"] == {"name": "unknown"}


def test_norms_after_clipping_that_were_logged_decide(tmp_path: Path) -> None:
    run = imported(
        tmp_path, "it,g0,g1,limit\n0,5,1,1\n1,0.5,0.5,1\n", {"step": "it", "norm_before": "g0", "norm_after": "g1", "threshold": "limit"}
    )
    assert run.steps["clipped"].tolist() == [True, False]
    assert run.meta["experiment"]["training"]["clipping"] == {"name": "norm", "limit": 1.0}


HABITS = (
    "\ufeffstep,loss,grad_norm\n0,0.5,1.25\n",
    "step;loss;grad_norm\r\n0;0,5;1,25\r\n",
    "step\tloss\tgrad_norm\n0\t5e-1\t1.25",
    'step,loss,grad_norm\n\n0,"0,5","1,25"\n',
)


@pytest.mark.parametrize("text", HABITS)
def test_habits_of_files(text: str, tmp_path: Path) -> None:
    run = imported(tmp_path, text)
    assert run.steps[["step", "loss", "norm_before"]].to_numpy().tolist() == [[0, 0.5, 1.25]]
    assert any("decimal marks" in note for note in run.remarks) == ("0,5" in text)


def test_an_export_of_weights_and_biases(tmp_path: Path) -> None:
    text = '"Step","my-run - train/grad_norm","my-run - train/grad_norm__MIN","my-run - train/grad_norm__MAX"\n"7","2","1","3"\n'
    assert imported(tmp_path, text).steps[["step", "norm_before"]].to_numpy().tolist() == [[7, 2]]


def test_a_frame(tmp_path: Path) -> None:
    frame = pd.DataFrame({"step": [0, 1, 2], "loss": [1.0, NAN, 2.0], "grad_norm": [1, 2, None]}, dtype=object)
    assert load(import_csv(frame, tmp_path / "run")).steps["step"].tolist() == [0, 1]
    with pytest.raises(GradvizError, match=r"the frame, row 1, column 'loss': 'x' is not a number"):
        import_csv(pd.DataFrame({"step": [0, 1], "loss": [1.0, "x"], "grad_norm": [1, 2]}), tmp_path / "bad")


BAD = {
    "": "is empty: its first line must name the columns",
    "step,grad_norm\n": "has a header and no rows",
    "epoch,grad_norm\n0,1\n": r"no column that is known to hold training steps. Its columns: 'epoch', 'grad_norm'. Say which: columns=",
    "step,loss\n0,1\n": r"known to hold norms of the gradient. Its columns: 'step', 'loss'.*--column norm_before=NAME",
    "step,grad_norm\n0,1\n1,much\n": r"log.csv, line 3, column 'grad_norm': 'much' is not a number",
    "step,grad_norm\n0,1_000\n": "line 2, column 'grad_norm': '1_000' is not a number",
    "step,grad_norm\n0,1e400\n": r"line 2, .*'1e400' is too large for a double .* Write inf if it overflowed",
    "step,grad_norm\n0,-1\n": "line 2: norm_before is -1; a norm is never below 0",
    "step,grad_norm\n5,1\n4,1\n": "line 3: training step 4 comes after step 5. Sort the rows",
    "step,grad_norm\n5,1\n5,2\n": "line 3: a second value of 'grad_norm' at training step 5, 2 after 1",
    "step,grad_norm\n0.5,1\n": "line 2, column 'step': '0.5' must be a whole number",
    "step,grad_norm\n,1\n": "line 2, column 'step': '' must be a whole number",
    "step,grad_norm\n9e9,1\n": "line 2, column 'step': '9e9' must be a whole number from 0 to 2147483647",
    "step,loss,grad_norm\n0,0,5,1\n": "line 2: 4 fields, where the header has 3. If commas stand in its numbers",
    "step;grad_norm\n0;0,5\n1;0.5\n": "line 3, .*another decimal mark",
    "step,step,grad_norm\n0,0,1\n": "more than one column called 'step'",
    "step,grad_norm,total_norm\n0,1,1\n": "columns 'grad_norm', 'total_norm' could all be the norm_before",
    "step,grad_norm\n0,\x001\n": "line 2",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_files_are_refused_with_the_place(text: str, tmp_path: Path) -> None:
    refused(tmp_path, text, BAD[text])


def test_other_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "step,grad_norm\n0,1\n"
    refused(tmp_path, "step,grad_norm\n0,1\n".encode("utf-16"), "is not UTF-8 text")
    refused(tmp_path, good, r"unknown role of a column 'los'. Did you mean 'loss'", {"los": "grad_norm"})
    refused(tmp_path, good, "has no column 'g', named for norm_before", {"norm_before": "g"})
    refused(tmp_path, good, "is said to be step and norm_before", {"norm_before": "step"})
    refused(tmp_path, good, "threshold is -1", threshold=-1)
    refused(tmp_path, good, "threshold is inf; it must be above 0 and finite", threshold=np.inf)
    monkeypatch.setattr(_text, "LINE", 20)
    refused(tmp_path, "step,grad_norm\n" + "0" * 50, "has a line of more than 20 characters")
    with pytest.raises(GradvizError, match="there is no file"):
        import_csv(tmp_path / "none.csv", tmp_path / "run")
    with pytest.raises(GradvizError, match="nothing to import"):
        import_csv(None, tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step,lag,norm\n0,0,1\n0,2,1\n", "line 3: lag 2 of training step 0, where lag 1 must follow"),
        ("step,lag,norm\n3,0,1\n0,0,1\n", "line 3: training step 0 comes after step 3"),
        ("step,lag,norm\n0,0,\n", "line 2, column 'norm': '' must be a norm"),
        ("step,lag\n0,0\n", "known to hold norms of the gradient"),
        ("step,lag,norm\n", "has a header and no rows"),
    ],
)
def test_profiles_are_refused_with_the_place(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "lags.csv").write_text(text)
    with pytest.raises(GradvizError, match=message):
        import_csv(None, tmp_path / "run", profiles=tmp_path / "lags.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["lags.csv"]


def test_a_folder_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(GradvizError, match=r"run exists already; give the name of a folder that does not"):
        imported(tmp_path, "step,grad_norm\n0,1\n")
    assert list((tmp_path / "run").iterdir()) == []


def test_an_imported_run_cannot_be_trained_on_or_taken_up(tmp_path: Path) -> None:
    folder = import_csv(logs.bare(tmp_path), tmp_path / "run")
    for act in (gradviz.resume, gradviz.reopen):
        with pytest.raises((GradvizError, RunError), match="imported from a log"):
            act(folder)


def test_memory_is_that_of_one_step(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        log = tmp_path / f"{count}.csv"
        log.write_text("step,loss,grad_norm\n" + "".join(f"{step},1.5,{step % 7}\n" for step in range(count)))
        tracemalloc.start()
        import_csv(log, tmp_path / f"run-{count}")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(9_000) < 2 * peak(3_000)


def test_the_command(gradviz, here: Path) -> None:
    log = logs.lightning(here)
    status, out, err = gradviz(
        "import", str(log), "--profiles", str(logs.lags(here)), "--out", "runs/mine", "--threshold", "2", "--column", "loss="
    )
    assert status == 0, err
    assert "mine: 60 training steps, 3 profiles over lags." in out
    assert "'train_loss'" in out
    assert "loss" in load(here / "runs" / "mine").unmeasured
    for words, said in {("--column", "step"): "must be ROLE=NAME", ("--column", "step=a", "--column", "step=b"): "given twice"}.items():
        status, _, err = gradviz("import", str(log), "--out", "runs/other", *words)
        assert (status, said in err) == (2, True), err
    assert gradviz("import", str(log), "--out", "runs/other", "--column", "parameters=lr-Adam", "--column", "rate=")[0] == 0
    assert set(load(here / "runs" / "other").parameters["parameter"]) == {"lr-Adam"}
