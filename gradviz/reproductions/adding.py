"""The adding problem: an LSTM learns it, a tanh network does not (Arjovsky, Shah and Bengio 2016, section 5.2)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.cells import CELLS
from gradviz.charts._description import Axis, Description, Line, Panel, Rule, log10
from gradviz.config import Experiment, Model, Training
from gradviz.network import Network
from gradviz.optimizers.adam import Adam
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.reproductions._halves import Halves
from gradviz.reproductions._training import QUIET, Course, learn
from gradviz.reproductions._workers import each
from gradviz.wording import listed, number, span

CELL_NAMES = {"lstm": "LSTM", "rnn": "tanh"}
LENGTHS, SEEDS, UPDATES, UNITS = (50, 100), 2, 3000, 64
SOLVED, TRIED, EVERY, BASELINE = 0.01, 2000, 100, 1 / 6
PUBLISHED = 100  # steps


@dataclass(frozen=True)
class Job:
    cell: str
    length: int
    seed: int
    updates: int


class Adding(Reproduction):
    title = "The adding problem"
    source = "Arjovsky, Shah and Bengio 2016, section on the adding problem; the problem is Hochreiter and Schmidhuber's, 1997"
    question = (
        "Two numbers of a long sequence are marked, and at its end their sum is asked for. Who answers 1 every time is wrong by 1/6 on "
        "average. Which networks learn to do better, within the same number of updates?"
    )
    minutes = 5

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        cells, lengths, seeds, updates = (("lstm",), (20,), 1, 1500) if quick else (tuple(CELL_NAMES), LENGTHS, SEEDS, UPDATES)
        jobs = [Job(cell, length, seed + k, updates) for length in reversed(lengths) for cell in cells for k in range(seeds)]
        tell(f"Training {len(jobs)} networks, each until its error is {SOLVED} or {updates} updates are done")
        found = dict(zip(jobs, each(train, jobs, processes=1 if quick else 2), strict=True))
        statements = [_baseline(seed), _learned(found)]
        if not quick:
            statements.append(_stuck(found))
        return Outcome(_claim(found), tuple(statements), _settings(lengths, seeds, updates), (_curves(found, lengths),))


def train(job: Job) -> Course:
    training = Training(updates=job.updates, batch=20, optimizer=Adam(rate=3e-3), seed=job.seed)
    experiment = Experiment(Halves(length=job.length), Model(CELLS[job.cell](), units=UNITS), training, QUIET)
    return learn(experiment, lambda network: error(network, job.length), enough=SOLVED, every=EVERY)


def error(network: Network, length: int) -> float:
    """Mean squared error on the same fresh sequences every time; none of them is trained on."""
    batch = Halves(length=length).open().held_out(TRIED)
    answers = network.forward(batch.inputs, reuse=True).outputs[0]
    return float(np.mean(np.square(answers - batch.targets)))


# ---------------------------------------------------------------------- what it says

Found = dict[Job, Course]


def _some(found: Found, cell: str, length: int) -> list[Course]:
    return [course for job, course in found.items() if (job.cell, job.length) == (cell, length)]


def _lengths(found: Found) -> list[int]:
    return sorted({job.length for job in found})


def _of(found: Found, cell: str, length: int) -> str:
    """Solved how often, after how many updates, and the errors at the end."""
    courses = _some(found, cell, length)
    solved = [course.success for course in courses if course.success > 0]
    when = f" after {span(map(float, solved))} updates" if solved else ""
    ends = span([course.checks[-1][1] for course in courses])
    return f"{len(solved)} of {len(courses)} at {length} steps{when}, with an error of {ends} at the end"


def _baseline(seed: int) -> Statement:
    """The mean over so many sequences is off by more than four standard deviations once in 16 000 times; a squared error varies by "
    "7/180."""
    batch = Halves(length=20).open().batch(100_000, np.random.default_rng([0xBA5E, seed]))
    squares = np.square(batch.targets - 1)
    measured, allowed = float(squares.mean()), 4 * float(np.sqrt(7 / 180 / len(squares)))
    return Statement(
        "Always to answer 1, the mean, costs 1/6 = 0.1667: the variance of a sum of two values from U(0, 1).",
        "by calculation; Arjovsky, Shah and Bengio 2016 state it as 0.167",
        f"{number(measured, 4)} on {len(squares)} sequences; so many may be off by {number(allowed)}.",
        agrees(abs(measured - BASELINE) < allowed),
    )


def _learned(found: Found) -> Statement:
    lengths = _lengths(found)
    learned = all(course.success > 0 for length in lengths for course in _some(found, "lstm", length))
    short, late = f"Sequences of {lengths[-1]} steps say nothing about {PUBLISHED}.", "A run that failed here might have learned later."
    return Statement(
        f"An LSTM learns to add over {PUBLISHED} and more steps.",
        "Hochreiter and Schmidhuber 1997, experiment 4, with values from −1 to 1 and other marks",
        f"Below {SOLVED}: {'; '.join(_of(found, 'lstm', length) for length in lengths)}.",
        agrees(learned) if lengths[-1] >= PUBLISHED else "open",
        short if lengths[-1] < PUBLISHED else "" if learned else late,
    )


def _stuck(found: Found) -> Statement:
    lengths = _lengths(found)
    return Statement(
        "The tanh network stays near the constant answer, at every length.",
        "Arjovsky, Shah and Bengio 2016, figure on the adding problem (a picture without numbers)",
        f"Below {SOLVED}: {'; '.join(_of(found, 'rnn', length) for length in lengths)}; the constant answer costs {number(BASELINE, 4)}.",
        "open",
        "Optimizer, sizes and initialization are not those of the source, and its picture was not measured. A tanh network may learn "
        "later.",
    )


def _claim(found: Found) -> str:
    parts = []
    for cell in {job.cell: None for job in found}:
        runs = [course for job, course in found.items() if job.cell == cell]
        parts.append(f"{sum(course.success > 0 for course in runs)} of {len(runs)} {CELL_NAMES[cell]} networks")
    return f"The adding problem over {listed([str(length) for length in _lengths(found)])} steps is learned by {listed(parts)}"


def _settings(lengths: tuple[int, ...], seeds: int, updates: int) -> tuple[Setting, ...]:
    return (
        Setting("steps of a sequence", "longer ones too", listed([str(length) for length in lengths])),
        Setting("marks", "one in each half", "the same"),
        Setting("units", "–", str(UNITS)),
        Setting("begins with", "–", "orthogonal recurrent matrices, forget bias 1"),
        Setting("learning", "RMSProp, rate 0.001, batches of 20", "Adam, rate 0.003, batches of 20, no clipping"),
        Setting("networks of a kind and length", "–", str(seeds)),
        Setting("updates at most", "–", f"{updates:,}"),
        Setting("learned if", "–", f"squared error at most {SOLVED} on {TRIED} fresh sequences, asked every {EVERY} updates"),
        Setting("precision", "–", "32 bits"),
    )


# ---------------------------------------------------------------------- pictures


def _curves(found: Found, lengths: tuple[int, ...]) -> Description:
    panels, frames = [], []
    for length in lengths:
        marks: list[Line | Rule] = [Rule(float(np.log10(BASELINE)), label="always 1", dashed=True)]
        for job, course in found.items():
            if job.length == length:
                done, errors = (np.array(column, float) for column in zip(*course.checks, strict=True))
                name = f"{CELL_NAMES[job.cell]}, seed {job.seed}"
                first = all(job.seed <= other.seed for other in found)
                marks.append(Line(done, log10(errors), name, job.cell, label=CELL_NAMES[job.cell] if first else ""))
                frames.append(pd.DataFrame({"network": name, "steps": length, "update": done, "error": errors}))
        panels.append(Panel(tuple(marks), Axis("update"), Axis("squared error", "log"), f"{length} steps"))
    return Description(
        "adding_curves",
        _claim(found),
        f"Mean squared error on {TRIED} fresh sequences; a line for each network, which ends where {SOLVED} is reached. Log scale.",
        "A line along the rule has learned the mean and no more. One that bends down has found the marked values.",
        pd.concat(frames, ignore_index=True),
        tuple(panels),
        columns=2,
        shape="multiples" if len(lengths) > 1 else "line",
        source="Arjovsky, Shah and Bengio 2016",
    )
