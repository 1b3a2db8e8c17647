"""The form of the page Train: controls made from gradviz's options, and the experiments that they ask for."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import streamlit as st

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.dashboards import uploads
from gradviz.errors import GradvizError
from gradviz.initializers import Initialization
from gradviz.optimizers.adam import Adam
from gradviz.tasks import TASKS

# Where the options set no limit, this page does: what is larger takes longer than one would watch.
HIGH = {"length": 500, "layers": 4, "units": 256, "updates": 20_000, "rate": 1.0, "seed": 10**9, "gain": 10.0}
FIRST = {"length": 60, "updates": 400, "rate": 0.01, "gain": 2.0}  # a story: the plain RNN's gradient explodes, and a threshold can tame it
CELLS_AT_FIRST = ["rnn", "gru", "lstm"]
TASK_AT_FIRST, RULE_AT_FIRST = "text", "norm"


@dataclass(frozen=True)
class Chosen:
    """What the form says. numbers: the values of number fields by name; text: the name and content of a file, if one is brought along."""

    task: str
    cells: tuple[str, ...]
    recurrent: str
    rule: str
    numbers: dict[str, float]
    text: tuple[str, bytes] | None = None


def form() -> Chosen:
    """Every control. All are in the address, but for the file."""
    task = st.segmented_control(
        "Task", list(TASKS), format_func=spoken, default=TASK_AT_FIRST, required=True, key="train-task", bind="query-params",
        help="; ".join(f"{spoken(name)}: {purpose(TASKS[name])}" for name in TASKS),
    )  # fmt: skip
    cells = st.pills(
        "Cells", sorted(CELLS, key=rank), selection_mode="multi", format_func=spoken, default=CELLS_AT_FIRST, key="train-cells",
        bind="query-params", help="one run for each; they train side by side",
    )  # fmt: skip
    text = upload() if task == "text" else None
    numbers: dict[str, float] = {}
    with row():
        length = option(TASKS[task], "length")
        numbers["length"] = number(length, "Sequence length", key=f"train-length-{task}", first=None if length["high"] else FIRST["length"])
        for name, label in (("layers", "Layers (depth)"), ("units", "Units")):
            numbers[name] = number(option(Model, name), label)
    with row():
        recurrent = st.selectbox(
            "Recurrent matrix at first", option(Initialization, "recurrent")["choices"], key="train-start", bind="query-params", width=230,
            help=option(Initialization, "recurrent")["help"],
        )  # fmt: skip
        numbers["gain"] = number(option(Initialization, "gain"), "Gain")
        rule = st.selectbox(
            "Clipping", list(CLIPPING), list(CLIPPING).index(RULE_AT_FIRST), format_func=spoken, key="train-clipping", bind="query-params",
            width=180, help="how long gradients are shortened",
        )  # fmt: skip
        if dial := CLIPPING[rule].dial:
            numbers["threshold"] = number(option(CLIPPING[rule], dial), f"Threshold ({dial})", key=f"train-{dial}")
    with row():
        numbers["updates"] = number(option(Training, "updates"), "Updates")
        numbers["rate"] = number(option(Adam, "rate"), "Learning rate (Adam)")
        numbers["seed"] = number(option(Training, "seed"), "Seed")
    return Chosen(task, tuple(cells), recurrent, rule, numbers, text)


def rank(cell: str) -> int:
    """The three families first, in the order of every comparison."""
    return CELLS_AT_FIRST.index(cell) if cell in CELLS_AT_FIRST else len(CELLS_AT_FIRST)


def row() -> Any:
    return st.container(horizontal=True, vertical_alignment="bottom", gap="medium")


def spoken(name: str) -> str:
    """rnn as RNN, temporal_order as temporal order."""
    return name.upper() if name in CELLS_AT_FIRST else name.replace("_", " ")


def purpose(entry: type) -> str:
    return (entry.__doc__ or "").strip().split("\n")[0].rstrip(".")


def option(kind: type, name: str) -> dict[str, Any]:
    """Help, limits and default of one option."""
    item = next(item for item in fields(kind) if item.name == name)
    return {**item.metadata, "default": item.default, "name": name}


def number(item: dict[str, Any], label: str, *, key: str = "", first: float | None = None) -> float:
    """One number within the option's own limits, and this page's."""
    name, kind = item["name"], type(item["default"])
    low, high = item["low"], item["high"] or HIGH.get(name)
    value = first or (FIRST.get(name) if not key else None) or item["default"]
    ends = [None if end is None else kind(end) for end in (low, high)]
    step, shape = (1, "%d") if kind is int else (None, "%g")
    return float(
        st.number_input(
            label,
            *ends,
            kind(value),
            step=step,
            format=shape,
            key=key or f"train-{name}",
            bind="query-params",
            width=170,
            help=item["help"],
        )
    )


def upload() -> tuple[str, bytes] | None:
    file = st.file_uploader(
        "Your own text, else the help texts that come with Python", type=["txt", "md"], max_upload_size=uploads.MEGABYTES, key="train-text",
        help=f"UTF-8, at most {uploads.MEGABYTES} megabytes. It stays on this machine, in the folder of runs.",
    )  # fmt: skip
    return (file.name, file.getvalue()) if file is not None else None


def experiments(chosen: Chosen, runs: Path, *, keep: bool = True) -> list[Experiment]:
    """One for each cell. A text is checked and, if asked, kept below `runs`. A GradvizError says what cannot be."""
    if not chosen.cells:
        raise GradvizError("no cell is chosen; choose one or more.")
    numbers = chosen.numbers
    for name, high in HIGH.items():
        if numbers[name] > high:
            raise GradvizError(f"{name} is {numbers[name]:g}; on this page it may be {high:g} at most.")
    length, updates = int(numbers["length"]), int(numbers["updates"])
    more: dict[str, Any] = {}
    if chosen.task == "text" and chosen.text:
        uploads.checked(*chosen.text, length)
        more["file"] = str(uploads.keep(*chosen.text, runs)) if keep else chosen.text[0]
    rule = CLIPPING[chosen.rule]
    clipping = rule().turned(numbers["threshold"]) if rule.dial else rule()
    start = Initialization(recurrent=chosen.recurrent, gain=numbers["gain"])
    training = Training(updates=updates, optimizer=Adam(rate=numbers["rate"]), clipping=clipping, seed=int(numbers["seed"]))
    model = Model(units=int(numbers["units"]), layers=int(numbers["layers"]), initialization=start)
    task = TASKS[chosen.task](length=length, **more)  # type: ignore[call-arg]
    return [Experiment(task, replace(model, cell=CELLS[cell]()), training, recording(updates)) for cell in chosen.cells]


def recording(updates: int) -> Recording:
    """Often enough for films of some twenty columns, however short the training."""
    every = max(1, min(10, updates // 20))
    return Recording(every=every, reach_every=every, probe_every=max(1, updates // 2))
