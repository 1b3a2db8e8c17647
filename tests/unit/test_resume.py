"""A training in several goes is the training in one go, bit by bit; and what is said where it cannot go on."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.clipping.percentile import Percentile
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError, RunError
from gradviz.optimizers import OPTIMIZERS
from gradviz.optimizers.adam import Adam
from gradviz.optimizers.rmsprop import RMSprop
from gradviz.optimizers.sgd import SGD
from gradviz.rates.cosine import Cosine
from gradviz.recording.reading import read_meta, read_table
from gradviz.recording.store import RunWriter
from gradviz.tasks.adding import Adding
from gradviz.tasks.numbers import Numbers
from gradviz.tasks.text import Text
from gradviz.training import Progress, Trainer, resume, train
from tests.resumed import content, differing, interrupted, stop_at

UPDATES = 12
RECORDING = Recording(every=3, reach_every=5, validate_every=2, probe_every=6, held_out=3, probe_examples=1)
SMALL = Experiment(
    Adding(length=10),
    Model(cell=CELLS["gru"](), units=3),
    Training(updates=UPDATES, batch=2, clipping=Percentile(percent=60), schedule=Cosine(warmup=4), checkpoint_every=4),
    RECORDING,
)
TEXT = "The cat sat on the mat, and the dog on the log. " * 12 + "Gdcl mnhs. " * 15  # what is held out is another language


def learning(**options: Any) -> Experiment:
    return replace(SMALL, training=replace(SMALL.training, **options))


def variants() -> dict[str, Experiment]:
    """Each optimizer with all it can remember, each clipping rule, and each shape with something of its own to go on with."""
    optimizers = {name: learning(optimizer=OPTIMIZERS[name]()) for name in OPTIMIZERS}
    remembering = {
        "sgd, all": SGD(rate=0.01, momentum=0.9, dampening=0.3, weight_decay=0.01),
        "sgd, nesterov": SGD(rate=0.01, momentum=0.9, nesterov=True),
        "rmsprop, all": RMSprop(rate=0.01, centered=True, momentum=0.9),
        "adam, all": Adam(amsgrad=True, weight_decay=0.01),
    }
    optimizers |= {name: learning(optimizer=optimizer) for name, optimizer in remembering.items()}
    rules = {f"clipping {name}": learning(clipping=CLIPPING[name]()) for name in CLIPPING}
    carried = replace(SMALL.training, carry_state=True, batch=3)
    shapes = {
        "text, carried": Experiment(Text(length=6, file="TEXT", order="contiguous", held_out=0.2), Model(units=3), carried, RECORDING),
        "text, sentences": replace(SMALL, task=Text(length=6, file="TEXT", level="word", order="sentences", held_out=0.3)),
        "numbers": replace(SMALL, task=Numbers(), model=Model(units=3, embedding=2)),
        "deep, both ways": replace(SMALL, model=Model(units=3, layers=2, direction="both")),
        "dropout, tied": replace(SMALL, task=Numbers(), model=Model(units=3, layers=2, embedding=3, tied=True, dropout=0.5)),
        "double": learning(precision="float64", truncation=3),
    }
    return {**optimizers, **rules, **shapes}


VARIANTS = variants()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """SMALL in one go."""
    return content(train(SMALL, tmp_path_factory.mktemp("whole") / "run"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "cat.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def with_text(experiment: Experiment, text: Path) -> Experiment:
    task = experiment.task
    return replace(experiment, task=replace(task, file=str(text))) if isinstance(task, Text) else experiment


@pytest.mark.parametrize("name", VARIANTS)
def test_interrupted_and_resumed_is_the_same_as_in_one_go(name: str, tmp_path: Path, text: Path) -> None:
    experiment = with_text(VARIANTS[name], text)
    whole = content(train(experiment, tmp_path / "whole"))
    assert differing(whole, content(interrupted(experiment, tmp_path / "cut", 1, 5, 6))) == []


@pytest.mark.parametrize("step", [1, 4, 7, 11, UPDATES])
def test_it_does_not_matter_when(step: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    assert differing(whole, content(interrupted(SMALL, tmp_path / "cut", step))) == []


class Died(BaseException):
    """As if the process had been killed: nothing is put in order."""


def killed(experiment: Experiment, folder: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run as SIGKILL leaves it after this update: rows up to there, an older checkpoint, status running."""

    def die(progress: Progress) -> None:
        if progress.step == step:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr("gradviz.training._cut_short", lambda *_: None)
        patch.setattr("gradviz.recording.store.SECONDS", 0.0)  # every row is written at once
        with pytest.raises(Died):
            train(experiment, folder, watch=die)


@pytest.mark.parametrize("step", [4, 5, 7, 8, UPDATES])
def test_after_a_kill_the_rows_beyond_the_checkpoint_are_done_again(
    step: int, tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "killed"
    killed(SMALL, folder, step, monkeypatch)
    assert read_meta(folder)["status"] == "running"
    assert len(read_table(folder, "steps")) == step
    assert differing(whole, content(resume(folder))) == []


TRAIN = """
import sys
sys.path.insert(0, sys.argv[2])
from tests.unit.test_resume import learning
from gradviz.training import train
train(learning(updates=150, checkpoint_every=7), sys.argv[1], watch=lambda progress: print(progress.step, flush=True))
"""


def child(folder: Path) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(folder), root], stdout=subprocess.PIPE, text=True, cwd=root)


def test_a_process_killed_outright_goes_on_to_the_same_end(tmp_path: Path) -> None:
    long, folder = learning(updates=150, checkpoint_every=7), tmp_path / "killed"
    with child(folder) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 30:
            pass
        with pytest.raises(RunError, match="killed is being written by another process"):
            resume(folder)
        with pytest.raises(RunError, match="is being written by another process"):
            train(long, folder, force=True)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert read_meta(folder)["status"] == "running"
    whole = content(train(long, tmp_path / "whole"))
    assert differing(whole, content(resume(folder))) == []


def test_ctrl_c_in_the_middle_of_an_update_waits_for_its_end(
    tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    update = Trainer.update

    def with_ctrl_c(self: Trainer, step: int) -> dict[str, Any]:
        if step == 6:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)  # impatient
        return update(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "update", with_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train(SMALL, tmp_path / "cut")
    assert read_meta(tmp_path / "cut")["updates_done"] == 7
    assert differing(whole, content(resume(tmp_path / "cut"))) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_what_breaks_off_within_an_update_goes_on_from_the_checkpoint_before(
    error: type[BaseException], tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights are changed, the row is not written: nothing of that may be kept."""
    update = Trainer.update

    def breaks(self: Trainer, step: int) -> dict[str, Any]:
        row = update(self, step)
        if step == 6:
            raise error
        return row

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "update", breaks)
        with pytest.raises(error):
            train(SMALL, tmp_path / "cut")
    assert read_meta(tmp_path / "cut")["status"] == ("failed" if error is ZeroDivisionError else "interrupted")
    assert differing(whole, content(resume(tmp_path / "cut"))) == []


def test_a_finished_run_can_be_trained_longer(tmp_path: Path) -> None:
    """The same weights as in one go, if the schedule does not ask for the number of updates."""
    plain = learning(schedule=Training().schedule)
    short = replace(plain, training=replace(plain.training, updates=8), recording=replace(RECORDING, validate_every=1))
    train(short, tmp_path / "run")
    with pytest.raises(RunError, match=r"run is finished: 8 updates are done\. To train it longer, .* --updates 16\."):
        resume(tmp_path / "run")
    with pytest.raises(RunError, match="is finished: 8 updates"):
        resume(tmp_path / "run", updates=7)
    assert read_meta(tmp_path / "run")["status"] == "finished"
    resume(tmp_path / "run", updates=UPDATES)
    whole = content(train(replace(short, training=replace(short.training, updates=UPDATES)), tmp_path / "whole"))
    more = content(tmp_path / "run")
    assert more["weights"] == whole["weights"]
    assert more["tables"]["steps"] == whole["tables"]["steps"]
    assert more["tables"]["held_out"] == whole["tables"]["held_out"]
    assert read_meta(tmp_path / "run")["experiment"]["training"]["updates"] == UPDATES


# ---------------------------------------------------------------------- planted bugs


def forget_count(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays["optimizer"]["count"]["steps"][...] = 0


def forget_moment(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays["optimizer"]["square"]["readout.weight"] *= 0


def forget_norms(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays["clipping"]["norms"] = arrays["clipping"]["norms"][1:]


def forget_start(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays["start"] = arrays["parameters"]


def forget_batches(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    facts["batches"] = facts["dropping"]


def forget_dropping(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    facts["dropping"] = facts["batches"]


def forget_best(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    facts["best"] = {"step": -1, "loss": float("inf"), "waited": 0}


def forget_best_weights(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays["best"] = {name: array + 1 for name, array in arrays["best"].items()}


def forget_states(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    arrays.pop("state")


def forget_position(arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    facts["position"] = {"next": 0, "rows": 3}


BUGS = (forget_count, forget_moment, forget_norms, forget_start, forget_batches, forget_dropping, forget_best, forget_best_weights)


@pytest.mark.parametrize("bug", [*BUGS, forget_states, forget_position], ids=lambda bug: bug.__name__)
def test_whatever_a_checkpoint_forgets_is_noticed(bug: Callable[..., None], tmp_path: Path, text: Path, monkeypatch: Any) -> None:
    experiment = with_text(VARIANTS["text, carried"], text)
    experiment = replace(experiment, training=replace(experiment.training, optimizer=Adam(rate=0.3)))  # so that the best is not the last
    if bug in (forget_batches, forget_dropping):  # contiguous text draws nothing
        experiment = SMALL if bug is forget_batches else replace(SMALL, model=Model(units=3, layers=2, dropout=0.5))
    whole, restore = content(train(experiment, tmp_path / "whole")), Trainer._restore
    assert experiment.task is SMALL.task or 0 < read_meta(tmp_path / "whole")["best"]["step"] < 9

    def forgetful(self: Trainer, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        bug(arrays, facts)
        restore(self, arrays, facts)

    monkeypatch.setattr(Trainer, "_restore", forgetful)
    assert differing(whole, content(interrupted(experiment, tmp_path / "cut", 9)))


# ---------------------------------------------------------------------- refusals


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory: pytest.TempPathFactory, text: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "cat"
    with pytest.raises(KeyboardInterrupt):
        train(with_text(VARIANTS["text, carried"], text), folder, watch=stop_at(6))
    return folder


@pytest.fixture
def run(broken_off: Path, tmp_path: Path) -> Path:
    """A copy of an interrupted run, to be damaged."""
    return Path(shutil.copytree(broken_off, tmp_path / "cat"))


def refused(folder: Path, message: str) -> None:
    """Resuming is refused, and changes nothing."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=message):
        resume(folder)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


ANEW = r"anew with `gradviz train … --out .* --name cat --force`\."


def test_no_run_and_no_checkpoint(run: Path) -> None:
    refused(run.parent, r"is not a run folder: it has no run\.json\. Runs in it: cat")
    refused(run.parent / "dog", "there is no folder")
    (run / "checkpoint.safetensors").unlink()
    refused(run, "cat has no checkpoint to go on from: it ended before the first one.* Start " + ANEW)


def test_a_text_that_has_changed(run: Path, text: Path) -> None:
    try:
        text.write_text(TEXT.replace("mat", "rug"), encoding="utf-8")
        refused(run, r"cat learns has changed since it began: its SHA-256 was \w{12}… and is \w{12}…\. Put the old .* Or start " + ANEW)
    finally:
        text.write_text(TEXT, encoding="utf-8")


@pytest.mark.parametrize("place", [0, 3, 20, 0.5, 0.9, -1])
def test_a_damaged_checkpoint(run: Path, place: float) -> None:
    path = run / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 1
    path.write_bytes(data)
    refused(run, r"checkpoint\.safetensors is damaged: .* The tables can still be read\. Start " + ANEW)


def test_half_a_checkpoint_and_none_of_its_own(run: Path) -> None:
    path = run / "checkpoint.safetensors"
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"", (run / "weights.safetensors").read_bytes()):
        path.write_bytes(data)
        refused(run, r"checkpoint\.safetensors is damaged")


def test_a_checkpoint_of_another_gradviz(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradviz.recording.checkpoint.VERSION", 0)
    refused(run, r"has schema 1, written by gradviz [\d.]+; .* goes on from schemas up to 0\. Resume with that gradviz\. Or start " + ANEW)


def test_settings_that_were_changed_by_hand(run: Path) -> None:
    path = run / "run.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    meta["experiment"]["model"]["units"] = 4
    path.write_text(json.dumps(meta), encoding="utf-8")
    refused(run, "does not fit the run's own settings: .* Were they changed?")


def test_tables_that_lost_rows(run: Path) -> None:
    first = min((run / "tables").glob("steps-*"))
    first.unlink()
    with pytest.raises(RunError, match=r"is not whole: up to its checkpoint, table steps has 0 rows of 6\. Start " + ANEW):
        resume(run)


def test_a_writer_at_work_in_the_same_process(run: Path) -> None:
    with RunWriter.open(run) as writer:
        refused(run, "is being written by another process")
        writer.close()
    resume(run)


def test_taking_tables_back_can_itself_be_cut_short(tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between two segments: the next attempt does the rest."""
    folder = tmp_path / "killed"
    killed(SMALL, folder, 7, monkeypatch)
    import gradviz.recording.rewind as rewinding

    calls, cut = [], rewinding._cut

    def cut_twice(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) > 2:
            raise GradvizError("the lights went out")
        return cut(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rewinding, "_cut", cut_twice)
        with pytest.raises(GradvizError, match="lights"):
            resume(folder)
    assert differing(whole, content(resume(folder))) == []


def test_a_torn_tail_is_taken_away(tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "killed"
    killed(SMALL, folder, 7, monkeypatch)
    for path in (folder / "tables").glob("*-0001.arrows"):
        path.write_bytes(path.read_bytes()[:-3])
    assert differing(whole, content(resume(folder))) == []


def test_states_and_scalars_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    from gradviz.recording.checkpoint import Checkpoint, read_checkpoint, save_checkpoint

    arrays = {
        "a": {"scalar": np.array(7), "single": np.array([1.5], np.float32), "across": np.arange(6.0).reshape(2, 3).T},
        "b": {"c": {"odd": np.array([np.nan, -np.inf, -0.0, 5e-324])}, "none": np.zeros((0, 3))},
    }
    facts = {"large": 2**127 + 1, "odd": [float("inf")], "words": "␣é"}
    save_checkpoint(tmp_path, Checkpoint(3, {"steps": 3}, arrays, facts, "abc"))
    back = read_checkpoint(tmp_path)
    assert (back.updates, back.rows, back.facts, back.digest) == (3, {"steps": 3}, facts, "abc")
    flat = {"scalar": back.arrays["a"]["scalar"], **back.arrays["a"], "odd": back.arrays["b"]["c"]["odd"], "none": back.arrays["b"]["none"]}
    for name, array in {**arrays["a"], "odd": arrays["b"]["c"]["odd"], "none": arrays["b"]["none"]}.items():
        assert (flat[name].shape, flat[name].dtype, flat[name].tobytes()) == (array.shape, array.dtype, array.tobytes())
        assert flat[name].flags.writeable
