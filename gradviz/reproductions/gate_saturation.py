"""Saturation of the gates of an LSTM that has learned to predict letters (Karpathy, Johnson and Li 2015)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.cells import CELLS
from gradviz.charts._description import Axis, Bars, Description, Panel, Points, Rule
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Training
from gradviz.network import Network
from gradviz.optimizers.adam import Adam
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.reproductions._gates import DRAWS, GATES, SPREADS, Gate, expected, gates, gaussian
from gradviz.reproductions._training import QUIET, learn
from gradviz.reproductions._workers import each
from gradviz.tasks.text import Text
from gradviz.wording import listed, number, percent, span

LAYERS, BATCH, HELD_OUT = 2, 20, 40
NAMES = ("first", "second")


@dataclass(frozen=True)
class Job:
    units: int
    length: int
    updates: int
    seed: int


@dataclass(frozen=True)
class Trained:
    """start, end: gates by layer and name before and after training; loss, pairs: nats a letter on held-out text, the network's and that
    of letter pairs."""

    start: dict[tuple[int, str], Gate]
    end: dict[tuple[int, str], Gate]
    loss: float
    pairs: float


class GateSaturation(Reproduction):
    title = "Saturated gates of a letter model"
    source = "Karpathy, Johnson and Li 2015, section on gate activation statistics"
    question = (
        "An LSTM has learned to predict the next letter of a text. How often is each of its gates nearly shut, below 0.1, or nearly open, "
        "above 0.9? A forget gate that is always open adds up what it reads, one that is always shut remembers nothing."
    )
    minutes = 5

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        jobs = [Job(32, 50, 200, seed)] if quick else [Job(64, 100, 2000, seed + k) for k in range(2)]
        tell(f"Training {len(jobs)} LSTM{'s' * (len(jobs) > 1)} of {LAYERS} layers on the built-in text, {jobs[0].updates} updates each")
        found = each(train, jobs, processes=len(jobs))
        statements = (_measuring(seed), _learned(found), _integrators(found), _forgetful(found))
        return Outcome(_claim(found), statements, _settings(jobs), (_triangles(found[0]), _spans(found[0])))


def train(job: Job) -> Trained:
    task, data = Text(length=job.length), Text(length=job.length).open()
    training = Training(updates=job.updates, batch=BATCH, optimizer=Adam(rate=3e-3), clipping=Norm(limit=1.0), seed=job.seed)
    model, held_out = Model(CELLS["lstm"](), units=job.units, layers=LAYERS), data.held_out(HELD_OUT)
    start = gates(Network(model, data.signature, seed=job.seed), held_out.inputs)
    network = learn(Experiment(task, model, training, QUIET), lambda network: 0.0, enough=-1.0, every=job.updates).network
    loss = network.loss(network.forward(held_out.inputs), held_out).mean
    return Trained(start, gates(network, held_out.inputs), loss, data.baselines["letter pairs"])


# ---------------------------------------------------------------------- what it says


def _measuring(seed: int) -> Statement:
    exact = [expected(spread) for spread in SPREADS]
    measured = [gaussian(spread, seed) for spread in SPREADS]
    fits = [
        abs(share - right) < 4 * np.sqrt(right * (1 - right) / DRAWS)
        for gate, right in zip(measured, exact, strict=True)
        for share in (gate.left[0], gate.right[0])
    ]
    spreads = listed([number(spread) for spread in SPREADS])
    return Statement(
        f"A gate whose pre-activation is drawn from N(0, s²) is below 0.1 in Φ(−ln 9 / s) of all steps, and as often above 0.9: "
        f"{listed([number(share, 4) for share in exact])} for s = {spreads}.",
        "by calculation",
        f"Below: {listed([number(gate.left[0], 4) for gate in measured])}; above: "
        f"{listed([number(gate.right[0], 4) for gate in measured])}, in {DRAWS} steps.",
        agrees(all(fits)),
    )


def _learned(found: list[Trained]) -> Statement:
    return Statement(
        "An LSTM predicts letters better than models that count the last few letters.",
        "Karpathy, Johnson and Li 2015, abstract",
        f"{span([one.loss for one in found], lambda loss: number(loss, 3))} nats a letter on held-out text; letter pairs, which look one "
        f"letter back, {number(found[0].pairs, 3)}.",
        "open",
        "Their models look up to twenty letters back, and their networks and texts are far larger; what is measured says only that there "
        "is something learned whose gates can be looked at.",
    )


def _each_layer(found: list[Trained], what: str) -> str:
    parts = []
    for layer, name in enumerate(NAMES):
        counts = [one.end[layer, "forget"].always_open if what == "open" else one.end[layer, "forget"].always_shut for one in found]
        parts.append(f"in the {name} layer {span(map(float, counts))} of {len(found[0].end[layer, 'forget'].left)} units")
    return listed(parts)


def _integrators(found: list[Trained]) -> Statement:
    highest = max(float(one.end[layer, "forget"].right.max()) for one in found for layer in range(LAYERS))
    return Statement(
        "Some forget gates are open nearly all the time: their cells are integrators.",
        "Karpathy, Johnson and Li 2015, section on gate activation statistics",
        f"Above 0.9 in more than nine of ten steps: {_each_layer(found, 'open')}. The most often open one is so in {percent(highest)} of "
        "all steps.",
        "open",
        "The source gives no numbers in its text, and which layers it says so of was not read in it.",
    )


def _forgetful(found: list[Trained]) -> Statement:
    highest = max(float(one.end[layer, "forget"].left.max()) for one in found for layer in range(LAYERS))
    return Statement(
        "No cell works in a purely feed-forward way: its forget gate would be shut nearly all the time.",
        "Karpathy, Johnson and Li 2015, section on gate activation statistics",
        f"Below 0.1 in more than nine of ten steps: {_each_layer(found, 'shut')}. The most often shut one is so in {percent(highest)} of "
        "all steps.",
        "open",
        "The source gives no numbers in its text, and its wording was not checked.",
    )


def _claim(found: list[Trained]) -> str:
    units = sum(len(one.end[layer, "forget"].left) for one in found for layer in range(LAYERS))
    opened = sum(one.end[layer, "forget"].always_open for one in found for layer in range(LAYERS))
    closed = sum(one.end[layer, "forget"].always_shut for one in found for layer in range(LAYERS))
    return f"Of {units} forget gates of trained letter models {opened} are nearly always open and {closed} nearly always shut"


def _settings(jobs: list[Job]) -> tuple[Setting, ...]:
    first = jobs[0]
    return (
        Setting("text", "War and Peace; Linux kernel", "the help texts that come with Python"),
        Setting("network", "–", f"LSTM, {LAYERS} layers of {first.units} units, forget bias 1"),
        Setting("learning", "RMSProp", f"Adam, rate 0.003, norm clipped at 1, batches of {BATCH} pieces of {first.length} letters"),
        Setting("updates", "–", f"{first.updates:,}"),
        Setting("networks", "–", str(len(jobs))),
        Setting("measured on", "held-out text", f"{HELD_OUT} held-out pieces, each from the state zero"),
        Setting("nearly shut, nearly open", "–", "below 0.1, above 0.9"),
        Setting("precision", "–", "32 bits"),
    )


# ---------------------------------------------------------------------- pictures


def _triangles(one: Trained) -> Description:
    ticks = (0.0, "0"), (0.5, "0.5"), (1.0, "1")
    axes = (
        Axis("share of time below 0.1", limits=(0.0, 1.0), ticks=ticks),
        Axis("above 0.9", limits=(0.0, 1.0), ticks=ticks),
    )
    panels = []
    for (layer, gate), end in one.end.items():
        start = one.start[layer, gate]
        before = Points(start.left, start.right, "before training", "ghost", small=True)
        after = Points(end.left, end.right, "after training", "lstm", "diamond", small=True)
        panels.append(Panel((Rule(1.0, "slope"), after, before), *axes, f"{gate}, layer {layer + 1}", "lstm"))
    busy = max(one.end, key=lambda place: float((one.end[place].left + one.end[place].right).mean()))
    rows = [
        pd.DataFrame(
            {"when": when, "layer": layer + 1, "gate": gate, "unit": range(len(units.left)), "below": units.left, "above": units.right}
        )
        for when, measured in (("before", one.start), ("after", one.end))
        for (layer, gate), units in measured.items()
    ]
    share = float((one.end[busy].left + one.end[busy].right).mean())
    return Description(
        "gate_saturation",
        f"The {busy[1]} gates of the {NAMES[busy[0]]} layer are at their limits most of all: {percent(share)} of the time",
        "One mark per unit: share of steps and sequences above 0.9 against below 0.1, on held-out text; the first network.",
        "Near the origin a gate is never saturated, on the diagonal always: top left it is open all the time, bottom right shut.",
        pd.concat(rows, ignore_index=True),
        tuple(panels),
        columns=len(GATES),
        shape="gate",
        key=(("faint", "before training"),),
        source="Karpathy, Johnson and Li 2015",
    )


def _spans(one: Trained) -> Description:
    spans = {name: one.end[layer, "forget"].spans for layer, name in enumerate(NAMES)}
    doublings = max(6, int(np.ceil(np.log2(max(float(values.max()) for values in spans.values())))))
    ticks = tuple((power - 0.5, str(2**power)) for power in range(doublings + 1))
    axes = Axis("time constant, steps", limits=(-0.7, doublings - 0.3), ticks=ticks), Axis("units")
    panels, rows = [], []
    for name, values in spans.items():
        counts = np.histogram(np.log2(values), np.arange(doublings + 1))[0]
        bars = Bars(np.arange(float(doublings)), counts.astype(float), f"{name} layer", "lstm")
        rule = Rule(float(np.log2(1 + np.e)) - 0.5, "up", dashed=True)
        panels.append(Panel((bars, rule), *axes, f"{name} layer", "lstm"))
        rows.append(pd.DataFrame({"layer": name, "unit": range(len(values)), "time constant": values}))
    longest = max(spans, key=lambda name: float(spans[name].max()))
    return Description(
        "forget_spans",
        f"The longest memory, {number(float(spans[longest].max()))} steps, is in the {longest} layer",
        "Units by the time constant 1/(1 − f) of their forget gate f, its mean over steps and sequences of held-out text; the first "
        "network. Each bar reaches from one time constant to twice it; dashed: 3.7 steps, with forget bias 1 and before training.",
        "Bars right of the dashed line are cells that have learned to keep longer than they did at the beginning.",
        pd.concat(rows, ignore_index=True),
        tuple(panels),
        columns=2,
        source="Karpathy, Johnson and Li 2015; Tallec and Ollivier 2018",
    )
