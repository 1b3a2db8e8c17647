"""Files from outside become entries like any other. The files are the ones CONTRIBUTING.md shows, taken from its text."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradviz import extend
from gradviz.batch import Batch, Signature
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError
from gradviz.flags import all_flags, experiments, help_of
from gradviz.frames import load
from gradviz.network import Network
from gradviz.tasks.adding import Adding
from gradviz.training import train
from tests.documents import files_in

FILES = files_in("CONTRIBUTING.md")
ADDED = {"leaky": "cell", "spread": "quantity", "spread_over_training": "chart", "soft": "clipping rule"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four files, as a stranger would have them."""
    folder = tmp_path_factory.mktemp("outside")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path):
    """The files loaded, and taken out again afterwards: other tests enumerate the registries."""
    added = [pair for name in FILES for pair in extend.load(folder / name)]
    yield added
    for registry in extend.REGISTRIES:
        for name in ADDED:
            if ADDED[name] == registry.kind:
                registry._entries.pop(name)
    extend._loaded.clear()
    for name in ADDED:
        sys.modules.pop(f"gradviz_extension_{name}")


@pytest.fixture(scope="module")
def run(loaded, tmp_path_factory: pytest.TempPathFactory):
    """A real small training with the outside cell and the outside clipping rule."""
    training = Training(updates=6, batch=4, clipping=extend.CLIPPING["soft"](limit=0.5))
    model = Model(cell=extend.CELLS["leaky"](leak=0.4), units=8)
    experiment = Experiment(Adding(length=20), model, training, Recording(every=2, held_out=4))
    return load(train(experiment, tmp_path_factory.mktemp("run") / "leaky"))


def test_each_file_adds_the_entry_it_is_named_after(loaded) -> None:
    assert sorted(loaded) == sorted((kind, name) for name, kind in ADDED.items())
    assert set(FILES) == {f"{name}.py" for name in ADDED}


def test_the_command_line_knows_them(loaded) -> None:
    flags = {flag.name: flag for flag in all_flags()}
    assert "leaky" in help_of(flags["cell"])
    assert "soft" in help_of(flags["clipping"])
    assert help_of(flags["cell.leak"]) == "share of the state replaced at every step (leaky: 0.3)"
    given = {"cell": ["leaky"], "cell.leak": ["0.9"], "clipping": ["soft"]}
    ((_, experiment),) = experiments(all_flags(), given)
    assert experiment.model.cell == extend.CELLS["leaky"](leak=0.9)
    assert Experiment.from_dict(json.loads(json.dumps(experiment.to_dict()))) == experiment


def test_the_cell_has_the_gradient_of_its_equations(loaded) -> None:
    """Central differences in float64 on every parameter of a two-layer network that reads both ways."""
    network, batch = _network(extend.CELLS["leaky"](leak=0.4))
    gradients = _gradients(network, batch)
    for name, array in network.parameters.items():
        for index in list(np.ndindex(array.shape))[::7]:
            kept, values = array[index], []
            for change in (1e-5, -1e-5):
                array[index] = kept + change
                values.append(network.loss(network.forward(batch.inputs), batch).mean)
            array[index] = kept
            assert gradients[name][index] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6, abs=1e-9), (name, index)


def test_the_cell_without_leak_is_the_plain_rnn(loaded) -> None:
    leaky, batch = _network(extend.CELLS["leaky"](leak=1.0))
    plain, _ = _network(extend.CELLS["rnn"]())
    np.testing.assert_allclose(leaky.forward(batch.inputs).outputs, plain.forward(batch.inputs).outputs, rtol=1e-12)


def test_the_run_records_the_quantity(run) -> None:
    rows = run.timesteps[run.timesteps["quantity"] == "spread"]
    assert set(rows["point"]) == {"hidden"}
    assert sorted(set(rows["step"])) == [0, 2, 4, 5]
    assert len(rows) == 4 * 20
    assert (rows["mean"] > 0).all()


def test_the_quantity_is_a_standard_deviation(loaded) -> None:
    values = np.random.default_rng(0).normal(size=(3, 2, 5)).astype(np.float32)
    expected = np.sqrt(((values - values.mean(-1, keepdims=True)) ** 2).mean(-1))
    np.testing.assert_allclose(extend.QUANTITIES["spread"]().reduce(extend.Observed(values)), expected, rtol=1e-5)


def test_the_run_is_clipped_by_the_rule(run) -> None:
    steps = run.steps
    assert steps["clipped"].all()
    np.testing.assert_allclose(steps["norm_after"], 0.5 * steps["norm_before"] / (0.5 + steps["norm_before"]), rtol=1e-5)
    np.testing.assert_allclose(steps["cosine"], 1.0, atol=1e-6)


def test_the_chart_describes_the_run(run) -> None:
    picture = extend.CHARTS["spread_over_training"]().describe([run])
    rows = run.timesteps[run.timesteps["quantity"] == "spread"]
    assert list(picture.frame["spread"]) == pytest.approx(list(rows.groupby("step")["mean"].mean()))
    assert not picture.missing
    nothing = extend.CHARTS["spread_over_training"](layer=3).describe([run])
    assert "spread.py" in nothing.missing


def test_the_entry_reaches_a_command_in_another_process(folder: Path, tmp_path: Path) -> None:
    """--extend before and after the command; both ways the run is recorded with the outside entries."""
    extra = ["--extend", str(folder / "leaky.py")]
    size = ["--task", "adding", "--task.length", "20", "--updates", "2", "--units", "4", "--held-out", "4"]
    for name, words in {"a": [*extra, "train"], "b": ["train", *extra]}.items():
        command = [sys.executable, "-m", "gradviz", *words, "--cell", "leaky", *size, "--name", name, "--out", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / name / "run.json").read_text())["experiment"]["model"]["cell"] == {"name": "leaky", "leak": 0.3}


BAD = {
    "nothing.py": ("x = 1\n", "defines nothing gradviz knows"),
    "broken.py": ("def\n", "cannot be loaded: SyntaxError"),
    "norm.py": (FILES["soft.py"], "there is a clipping rule called 'norm' already"),
    "bare.py": (FILES["soft.py"].replace("@dataclass(frozen=True)\n", ""), "must be a dataclass"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_what_is_wrong(name: str, tmp_path: Path) -> None:
    text, message = BAD[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    before = {registry.kind: registry.names() for registry in extend.REGISTRIES}
    with pytest.raises(GradvizError, match=message):
        extend.load(tmp_path / name)
    assert {registry.kind: registry.names() for registry in extend.REGISTRIES} == before


def _network(cell) -> tuple[Network, Batch]:
    signature = Signature(inputs=3, outputs=2, tokens=False, loss="squared", at="every")
    network = Network(Model(cell=cell, units=4, layers=2, direction="both"), signature, dtype="float64", seed=1)
    rng = np.random.default_rng(2)
    return network, Batch(rng.normal(size=(6, 2, 3)), rng.normal(size=(6, 2, 2)))


def _gradients(network: Network, batch: Batch) -> dict[str, np.ndarray]:
    run = network.forward(batch.inputs)
    return network.backward(run, network.loss(run, batch).d_outputs).parameters
