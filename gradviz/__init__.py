"""gradviz makes the gradient dynamics of recurrent networks visible.

    import gradviz

    experiment = gradviz.Experiment(model=gradviz.Model(units=32), training=gradviz.Training(updates=200))
    run = gradviz.load(gradviz.train(experiment, "my-run"))
    gradviz.chart("waterfall", run)  # a notebook shows it

Everything below is imported when it is first used: `import gradviz` alone loads nothing but this file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gradviz import hooks as hooks
    from gradviz.bridges import from_torch as from_torch
    from gradviz.bridges import load_weights as load_weights
    from gradviz.bridges import save_weights as save_weights
    from gradviz.bridges import to_torch as to_torch
    from gradviz.config import Experiment as Experiment
    from gradviz.config import Model as Model
    from gradviz.config import Recording as Recording
    from gradviz.config import Training as Training
    from gradviz.diagnosis import Diagnosis as Diagnosis
    from gradviz.diagnosis import diagnose as diagnose
    from gradviz.errors import GradvizError as GradvizError
    from gradviz.exchange import import_csv as import_csv
    from gradviz.exchange import to_xarray as to_xarray
    from gradviz.export import export_run as export_run
    from gradviz.frames import Run as Run
    from gradviz.frames import load as load
    from gradviz.frames import load_runs as load_runs
    from gradviz.language import connectivity as connectivity
    from gradviz.language import probability as probability
    from gradviz.language import sample as sample
    from gradviz.network import Network as Network
    from gradviz.picture import Picture as Picture
    from gradviz.picture import chart as chart
    from gradviz.recording.reopen import reopen as reopen
    from gradviz.reports import report as report
    from gradviz.training import resume as resume
    from gradviz.training import train as train
    from gradviz.watching import watch as watch
    from gradviz.watching.lightning import lightning_callback as lightning_callback

_HOME = {
    "Diagnosis": "gradviz.diagnosis",
    "Experiment": "gradviz.config",
    "GradvizError": "gradviz.errors",
    "Model": "gradviz.config",
    "Network": "gradviz.network",
    "Picture": "gradviz.picture",
    "Recording": "gradviz.config",
    "Run": "gradviz.frames",
    "Training": "gradviz.config",
    "chart": "gradviz.picture",
    "connectivity": "gradviz.language",
    "diagnose": "gradviz.diagnosis",
    "export_run": "gradviz.export",
    "from_torch": "gradviz.bridges",
    "hooks": "gradviz.hooks",
    "import_csv": "gradviz.exchange",
    "lightning_callback": "gradviz.watching.lightning",
    "load": "gradviz.frames",
    "load_runs": "gradviz.frames",
    "load_weights": "gradviz.bridges",
    "probability": "gradviz.language",
    "reopen": "gradviz.recording.reopen",
    "report": "gradviz.reports",
    "resume": "gradviz.training",
    "sample": "gradviz.language",
    "save_weights": "gradviz.bridges",
    "to_torch": "gradviz.bridges",
    "to_xarray": "gradviz.exchange",
    "train": "gradviz.training",
    "watch": "gradviz.watching",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 — names, one by one, of the table above


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gradviz' has no attribute {name!r}")
    module = import_module(_HOME[name])
    return module if module.__name__ == f"gradviz.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
