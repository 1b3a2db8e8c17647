"""Work spread over threads: the same results, in order; errors and interruptions come out; nobody writes on afterwards."""

import threading
import time

import numpy as np
import pytest

from gradviz import cores


@pytest.fixture(autouse=True)
def _four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_threads", 4)


def test_results_come_in_the_order_of_the_jobs() -> None:
    assert cores.together([lambda k=k: (time.sleep(0.01 * (5 - k)), k)[1] for k in range(5)], cores.WORTH) == [0, 1, 2, 3, 4]


def test_large_work_is_spread_and_little_work_is_not() -> None:
    names = [cores.together([threading.get_ident] * 2, work) for work in (cores.WORTH - 1, cores.WORTH)]
    assert names[0] == [threading.get_ident()] * 2
    assert names[1][0] == threading.get_ident() != names[1][1]
    cores.use(1)
    assert cores.together([threading.get_ident] * 2, cores.WORTH) == [threading.get_ident()] * 2


def test_other_threads_keep_the_callers_floating_point_rules() -> None:
    with np.errstate(all="ignore"):
        assert np.isinf(cores.together([lambda: np.float64(1) / np.zeros(1)] * 3, cores.WORTH)).all()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_an_error_comes_out_when_all_have_ended(bad: int) -> None:
    ended = []

    def job(k: int) -> None:
        time.sleep(0.02 * (k != bad))
        ended.append(k)
        if k == bad:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cores.together([lambda k=k: job(k) for k in range(3)], cores.WORTH)
    assert sorted(ended) == [0, 1, 2]


def test_what_is_done_later_is_waited_for_and_its_error_comes_out() -> None:
    began = time.perf_counter()
    slow, wrong = cores.later(lambda: (time.sleep(0.05), 3)[1], cores.WORTH), cores.later(lambda: 1 / 0, cores.WORTH)
    assert time.perf_counter() - began < 0.04
    assert slow() == 3
    with pytest.raises(ZeroDivisionError):
        wrong()
    cores.use(1)
    assert cores.later(threading.get_ident, cores.WORTH)() == threading.get_ident()


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_halves_leave_nothing_out(length: int) -> None:
    rows = list(range(length))
    first, second = cores.halves(length)
    assert rows[first] + rows[second] == rows
