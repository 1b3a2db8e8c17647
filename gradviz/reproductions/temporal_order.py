"""Temporal order by plain gradient descent, with clipping, and with Ω (Pascanu, Mikolov and Bengio 2013, section 4.1.1 and figure 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.cells import CELLS
from gradviz.charts._description import Axis, Description, Line, Panel, Rule, Tiles, log10
from gradviz.clipping import CLIPPING
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Training
from gradviz.initializers import Initialization
from gradviz.network import Network
from gradviz.optimizers.sgd import SGD
from gradviz.regularizers import REGULARIZERS
from gradviz.regularizers.norm_preservation import NormPreservation
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.reproductions._pictures import thinned
from gradviz.reproductions._training import QUIET, Course, learn
from gradviz.reproductions._workers import each
from gradviz.tasks import temporal_order as task
from gradviz.wording import listed, number

METHODS = {
    "plain": "SGD",
    "clipped": "SGD with clipping",
    "both": "SGD with clipping and Ω",
    "omega": "SGD with Ω alone",
}
COMPARED = ("plain", "clipped", "both")
LENGTHS, SEEDS, UPDATES = (20, 50), 3, 20_000
SOLVED, TRIED, ASKED, EVERY = 0.01, 2000, 10_000, 500


@dataclass(frozen=True)
class Job:
    method: str
    length: int
    seed: int
    updates: int


class TemporalOrder(Reproduction):
    title = "Clipping and Ω on the temporal order problem"
    source = "Pascanu, Mikolov and Bengio 2013, section 4.1.1 and figure 7; details from the authors' program"
    question = (
        "A network must say at the end which of two symbols came first and which second, with noise in between. Does plain gradient "
        "descent learn it, and what do clipping and a price on the gradient's length change, as the sequences grow?"
    )
    minutes = 8

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        lengths, seeds, updates = (LENGTHS[:1], 1, 2500) if quick else (LENGTHS, SEEDS, UPDATES)
        jobs = [Job(method, length, seed + k, updates) for length in reversed(lengths) for k in range(seeds) for method in METHODS]
        tell(f"Training {len(jobs)} networks, each until it has learned the task or {updates} updates are done")
        found = dict(zip(jobs, each(train, jobs, processes=1 if quick else 2), strict=True))
        tried = [job for job in jobs if job.length == lengths[-1]]
        statements = [_start(found), _solved(found, lengths[0])]
        if not quick:
            statements += [_longer(found), _omega(found)]
        return Outcome(
            _claim(found, lengths),
            tuple(statements),
            _settings(lengths, seeds, updates),
            (_rates(found, lengths), _norms({job: found[job] for job in tried if job.seed == seed})),
        )


def clipped(job: Job) -> bool:
    return job.method in ("clipped", "both")


def experiment(job: Job) -> Experiment:
    """The authors' settings: their "smart tanh" begins with 15 connections out of each unit and spectral radius 0.95."""
    priced = job.method in ("both", "omega")
    training = Training(
        updates=job.updates,
        batch=20,
        optimizer=SGD(rate=0.01),
        clipping=Norm(limit=1.0) if clipped(job) else CLIPPING["none"](),
        regularizer=NormPreservation(strength=4.0) if priced else REGULARIZERS["none"](),
        seed=job.seed,
    )
    begin = Initialization(recurrent="sparse", gain=0.95, input_scale=0.01, readout_scale=0.01)
    return Experiment(task.TemporalOrder(length=job.length), Model(CELLS["rnn"](), units=50, initialization=begin), training, QUIET)


def train(job: Job) -> Course:
    return learn(experiment(job), lambda network: wrong(network, job.length), enough=SOLVED, every=EVERY)


def wrong(network: Network, length: int) -> float:
    """Share of fresh sequences that are answered wrongly: of a fifth of them, and of all if those say that it is solved."""
    share = 1.0
    for size, seed in ((TRIED, 1), (ASKED, 2)):
        batch = task.TemporalOrder(length=length).open().batch(size, np.random.default_rng([0x7E57, seed]))
        answers = network.forward(batch.inputs).outputs[0].argmax(axis=1)
        share = float((answers != batch.targets).mean())
        if share > SOLVED:
            break
    return share


# ---------------------------------------------------------------------- what it says

Found = dict[Job, Course]


def rate(found: Found, method: str, length: int) -> tuple[int, int]:
    """How many runs solved it, of how many."""
    some = [course for job, course in found.items() if (job.method, job.length) == (method, length)]
    return sum(course.success > 0 for course in some), len(some)


def _of(found: Found, method: str, length: int) -> str:
    solved, tried = rate(found, method, length)
    after = [course.success for job, course in found.items() if (job.method, job.length) == (method, length) and course.success > 0]
    when = f" (after {listed([str(updates) for updates in sorted(after)])} updates)" if after else ""
    return f"{METHODS[method]} {solved} of {tried}{when}"


def _start(found: Found) -> Statement:
    losses = np.array([course.loss[0] for course in found.values()])
    return Statement(
        "Guessing among four classes costs ln 4 = 1.3863 nats.",
        "by definition",
        f"The first batches cost {number(float(losses.mean()), 5)} nats on average over {len(losses)} networks.",
        agrees(bool(abs(losses.mean() - np.log(4)) < 0.01)),
    )


def _solved(found: Found, length: int) -> Statement:
    counts = [_of(found, method, length) for method in COMPARED]
    return Statement(
        f"At length {length} all three, plain descent too, solve the problem from the better initialization.",
        "figure 7 (a picture without numbers)",
        f"Solved at length {length}: {'; '.join(counts)}.",
        agrees(all(rate(found, method, length)[0] == rate(found, method, length)[1] for method in COMPARED)),
    )


def _longer(found: Found) -> Statement:
    short, long = LENGTHS
    falls = rate(found, "plain", long)[0] < rate(found, "plain", short)[0]
    helps = rate(found, "clipped", long)[0] > rate(found, "plain", long)[0]
    return Statement(
        "As sequences grow, plain descent fails more and more often, and clipping, the more so with Ω, still learns.",
        "section 4.1.1 and figure 7",
        f"Solved at length {long} within {UPDATES} updates: {'; '.join(_of(found, method, long) for method in COMPARED)}.",
        agrees(falls and helps),
        f"The authors allowed five million updates, {UPDATES} are made here: a run that failed here might have learned later.",
    )


def _omega(found: Found) -> Statement:
    long = LENGTHS[-1]
    solved, tried = rate(found, "omega", long)
    largest = max(float(np.nanmax(course.norm)) for job, course in found.items() if (job.method, job.length) == ("omega", long))
    return Statement(
        "Ω without clipping usually fails: it holds the gradient up, and so it explodes the sooner.",
        "section 4.1.1",
        f"At length {long} Ω alone solves {solved} of {tried}; its largest gradient norm is {number(largest)}.",
        agrees(solved < tried / 2),
    )


def _claim(found: Found, lengths: Sequence[int]) -> str:
    last = lengths[-1]
    parts = [f"{rate(found, method, last)[0]} of {rate(found, method, last)[1]} with {METHODS[method]}" for method in COMPARED]
    return f"Temporal order over {last} steps is learned by {listed(parts)}"


def _settings(lengths: Sequence[int], seeds: int, updates: int) -> tuple[Setting, ...]:
    return (
        Setting("lengths", "20 to 200", listed([str(length) for length in lengths])),
        Setting("network", "tanh, 50 units", "tanh, 50 units"),
        Setting("begins with", "smart tanh: 15 connections a unit, spectral radius 0.95; others N(0, 0.01²)", "the same"),
        Setting("learning", "SGD, rate 0.01, no momentum, batches of 20", "the same"),
        Setting("clipping", "global norm 1", "the same"),
        Setting("Ω", "α = 4, form of the authors' program", "the same"),
        Setting("runs a length", "5", str(seeds)),
        Setting("updates at most", "5,000,000", f"{updates:,}"),
        Setting("solved if", "less than 1 % of 10,000 fresh sequences are wrong", f"the same, asked every {EVERY} updates"),
        Setting("precision", "32 bits", "32 bits"),
    )


# ---------------------------------------------------------------------- pictures


def _rates(found: Found, lengths: Sequence[int]) -> Description:
    rows = [(METHODS[method], length, *rate(found, method, length)) for method in METHODS for length in lengths]
    cells = tuple(tuple(_cell(*rate(found, method, length)) for length in lengths) for method in METHODS)
    return Description(
        "temporal_order_rates",
        _claim(found, lengths),
        "How many of the runs learn the task, by length of the sequences and way of learning.",
        "Rows that stay green to the right. Where plain descent fails and clipping does not, an exploding gradient was in the way.",
        pd.DataFrame(rows, columns=["method", "length", "solved", "runs"]),
        (Panel((Tiles(tuple(METHODS.values()), tuple(f"{length} steps" for length in lengths), cells),)),),
        columns=1,
        shape="tiles",
        source="Pascanu, Mikolov and Bengio 2013, figure 7",
    )


def _cell(solved: int, tried: int) -> tuple[str, str]:
    return "good" if solved == tried else "critical" if solved == 0 else "warning", f"{solved} of {tried}"


def _norms(found: Found) -> Description:
    panels, frames = [], []
    for job, course in found.items():
        updates, norms = thinned(course.norm)
        frames.append(pd.DataFrame({"method": METHODS[job.method], "update": updates, "norm": norms}))
        line = Line(updates, log10(norms), METHODS[job.method], "rnn", dashed=not clipped(job))
        marks = (line, Rule(0.0, label="clipped above 1")) if clipped(job) else (line,)
        panels.append(Panel(marks, Axis("update"), Axis("gradient norm", "log"), METHODS[job.method], "rnn"))
    peaks = {METHODS[job.method]: float(np.nanmax(course.norm)) for job, course in found.items()}
    return Description(
        "temporal_order_norms",
        f"The largest gradient is {listed([f'{number(peak)} with {name}' for name, peak in peaks.items()])}",
        "Norm of the whole gradient before clipping, Ω's share included, the largest of neighbouring updates; the longest sequences, first "
        "seed. Log scale.",
        "Needles that stand far above the rest are walls of the error surface: one plain step taken there undoes what was learned.",
        pd.concat(frames, ignore_index=True),
        tuple(panels),
        columns=2,
        source="Pascanu, Mikolov and Bengio 2013, section 3.2",
    )
