"""Answers about a run, kept for as long as its files and what is known of it stay the same."""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import TypeVar

from gradviz.frames import Run

KEEP = 32  # runs
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Asked:
    """A run in one state. Another run object of the same folder asks the same question as long as nothing has been added to it."""

    run: Run = field(compare=False, repr=False)
    state: Hashable


def remembered(
    also: Callable[[], Hashable] = tuple,
) -> Callable[[Callable[[Run], Sequence[Answer]]], Callable[[Run], list[Answer]]]:
    """An answer worked out once for each state of a run, and of `also`, which says what else it depends on.

    The list is the caller's own; what is in it is shared and must not be changed.
    """

    def of(answer: Callable[[Run], Sequence[Answer]]) -> Callable[[Run], list[Answer]]:
        @lru_cache(maxsize=KEEP)
        def worked_out(asked: _Asked) -> tuple[Answer, ...]:
            return tuple(answer(asked.run))

        @wraps(answer)
        def given(run: Run) -> list[Answer]:
            facts = json.dumps(run.meta, default=repr, sort_keys=True)
            return list(worked_out(_Asked(run, (run.path, run.label, run.stamp, facts, also()))))

        return given

    return of
