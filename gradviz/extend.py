"""The door for people who add an entry: a cell, clipping rule, optimizer, regularizer, task, quantity, property, chart, finding or lesson.

Derive one class from a base below, in a file of its own: the file's name is the entry's name. Put the file into gradviz's folder of that
kind, or keep it where it is and load it: `gradviz --extend my_cell.py …`, or `gradviz.extend.load("my_cell.py")`.
CONTRIBUTING.md shows a complete file of each kind.
"""

from pathlib import Path
from typing import Any

from gradviz.arrays import Array, Integers, Parameters, cosine, global_norm, norm
from gradviz.batch import Batch, Reading, Signature
from gradviz.cells import CELLS, Cell, Sequence, Step, Weights
from gradviz.charts import CHARTS, Chart, Description
from gradviz.charts._description import Axis, Band, Heat, Line, Panel, Points, Rule, Tiles, log10
from gradviz.clipping import CLIPPING, Clipping
from gradviz.clipping._base import State as ClipState
from gradviz.errors import GradvizError
from gradviz.findings import FINDINGS, Finding, Verdict
from gradviz.frames import Run
from gradviz.language.properties import PROPERTIES, Property
from gradviz.lessons import LESSONS, Choice, Equation, Lesson, Play, Question, Screen, Source, control
from gradviz.optimizers import OPTIMIZERS, Optimizer
from gradviz.optimizers._base import State as OptimizerState
from gradviz.options import check, option
from gradviz.quantities import QUANTITIES, Observed, Quantity
from gradviz.rates import RATES, Rate
from gradviz.registry import Registry, load_file
from gradviz.regularizers import REGULARIZERS, Regularizer
from gradviz.shapes import encoder_decoder, many_to_many, many_to_one, one_to_many
from gradviz.tasks import TASKS, Data, Task

REGISTRIES: tuple[Registry[Any], ...] = (
    CELLS, CLIPPING, OPTIMIZERS, RATES, REGULARIZERS, TASKS, QUANTITIES, PROPERTIES, FINDINGS, CHARTS, LESSONS,
)  # fmt: skip


def load(path: str | Path) -> list[tuple[str, str]]:
    """Run one Python file of yours and make what it defines available everywhere. Returns (kind, name) of each entry.

    The file is a program: load only what you would run. Loading the same file again changes nothing.
    """
    file = Path(path).resolve()
    if file in _loaded:
        return _loaded[file]
    try:
        added = load_file(file, list(REGISTRIES))
    except GradvizError:
        raise
    except Exception as error:
        raise GradvizError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    _loaded[file] = added
    return added


_loaded: dict[Path, list[tuple[str, str]]] = {}


def loaded() -> tuple[Path, ...]:
    """The files loaded so far: other processes need them too."""
    return tuple(_loaded)


__all__ = [
    "CELLS",
    "CHARTS",
    "CLIPPING",
    "FINDINGS",
    "LESSONS",
    "OPTIMIZERS",
    "PROPERTIES",
    "QUANTITIES",
    "RATES",
    "REGISTRIES",
    "REGULARIZERS",
    "TASKS",
    "Array",
    "Axis",
    "Band",
    "Batch",
    "Cell",
    "Chart",
    "Choice",
    "ClipState",
    "Clipping",
    "Data",
    "Description",
    "Equation",
    "Finding",
    "GradvizError",
    "Heat",
    "Integers",
    "Lesson",
    "Line",
    "Observed",
    "Optimizer",
    "OptimizerState",
    "Panel",
    "Parameters",
    "Play",
    "Points",
    "Property",
    "Quantity",
    "Question",
    "Rate",
    "Reading",
    "Regularizer",
    "Rule",
    "Run",
    "Screen",
    "Sequence",
    "Signature",
    "Source",
    "Step",
    "Task",
    "Tiles",
    "Verdict",
    "Weights",
    "check",
    "control",
    "cosine",
    "encoder_decoder",
    "global_norm",
    "load",
    "loaded",
    "log10",
    "many_to_many",
    "many_to_one",
    "norm",
    "one_to_many",
    "option",
]
