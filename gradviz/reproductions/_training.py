"""A training of which nothing is kept but what the reproduction asks for, stopped as soon as it succeeds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from gradviz.arrays import Array
from gradviz.config import Experiment, Recording
from gradviz.network import Network
from gradviz.trainer import Trainer

NEVER = 10**9
QUIET = Recording(every=NEVER, reach_every=0, probe_every=0, held_out=1, probe_examples=0)


@dataclass(frozen=True)
class Course:
    """loss, norm, penalty: of every update; checks: updates done when it was looked at, and what was seen there; success: updates after
    which it succeeded, -1 if it did not."""

    loss: Array
    norm: Array
    penalty: Array
    checks: tuple[tuple[int, float], ...]
    success: int
    network: Network


class Nowhere:
    """Takes rows and keeps none."""

    def append(self, table: str, row: dict[str, Any]) -> None:
        return


def learn(experiment: Experiment, look: Callable[[Network], float], *, enough: float, every: int) -> Course:
    """Train until look(network), asked every so many updates, is at most `enough`, or to the last update."""
    trainer = Trainer(experiment, experiment.task.open(experiment.training.seed), Nowhere())
    rows, checks, success = [], [], -1
    with threadpool_limits(1, "blas"):
        for step in range(experiment.training.updates):
            row = trainer.update(step)
            rows.append((row["loss"], row["norm_before"], row["penalty"]))
            if (step + 1) % every == 0:
                checks.append((step + 1, look(trainer.network)))
                if checks[-1][1] <= enough:
                    success = step + 1
                    break
    loss, norm, penalty = np.array(rows, float).reshape(-1, 3).T
    return Course(loss, norm, penalty, tuple(checks), success, trainer.network)
