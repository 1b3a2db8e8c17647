"""What all tests share."""

import gc
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy loads: on small products and busy cores far faster than two

from pathlib import Path

import pytest

from tests.shared import once


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two real, tiny, finished runs: text-rnn-norm and text-lstm. Not to be written to."""
    from gradviz.cells import CELLS
    from gradviz.clipping import CLIPPING
    from gradviz.config import Experiment, Model, Recording, Training
    from gradviz.tasks import TASKS
    from gradviz.training import train

    recording = Recording(every=4, reach_every=6, probe_every=6, held_out=8)

    def make(out: Path) -> None:
        for name, cell, clipping in (("text-rnn-norm", "rnn", CLIPPING["norm"](limit=0.2)), ("text-lstm", "lstm", CLIPPING["none"]())):
            training = Training(updates=12, batch=8, clipping=clipping)
            train(Experiment(TASKS["text"](length=20), Model(cell=CELLS[cell](), units=8), training, recording, name), out / name)

    return once(tmp_path_factory, "trained", make)


@pytest.fixture(scope="session")
def shaped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two real, tiny runs of other shapes: numbers, two layers that encode in both directions and two that decode, and
    sine. Not to be written to."""
    from gradviz.cells import CELLS
    from gradviz.config import Experiment, Model, Recording, Training
    from gradviz.tasks import TASKS
    from gradviz.training import train

    recording = Recording(every=4, reach_every=6, probe_every=6, held_out=8)

    def make(out: Path) -> None:
        for name, cell, layers in (("numbers", "lstm", 2), ("sine", "gru", 1)):
            model = Model(cell=CELLS[cell](), units=8, layers=layers, direction="both" if name == "numbers" else "forward")
            train(Experiment(TASKS[name](), model, Training(updates=12, batch=8), recording, name), out / name)

    return once(tmp_path_factory, "shaped", make)


ORDER = ("unit", "contracts", "oracles", "apps", "browser")  # fast ones first: a mistake shows within seconds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {folder: number for number, folder in enumerate(ORDER)}
    items.sort(key=lambda item: (place.get(item.path.parent.name, len(ORDER)), item.get_closest_marker("slow") is not None))


def pytest_collection_finish() -> None:
    """What has been imported stays, and need not be looked at again for garbage: Streamlit collects all of it after each run of a page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # tests make many objects, and few in circles
