"""Learning-rate schedules are PyTorch's, update by update, where PyTorch has one; the others are their formula."""

import math

import numpy as np
import pytest

from gradviz.rates.cosine import Cosine
from gradviz.rates.exponential import Exponential
from gradviz.rates.inverse_sqrt import InverseSqrt
from gradviz.rates.step import Step
from gradviz.rates.warmup import Warmup

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
TOTAL = 130


def rates_of(make) -> np.ndarray:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, rates = make(optimizer), []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(rates)


def warm_cosine(optimizer):
    lr = torch.optim.lr_scheduler
    parts = [lr.LinearLR(optimizer, 0.1, 1.0, 30), lr.CosineAnnealingLR(optimizer, TOTAL - 30, eta_min=0.2)]
    return lr.SequentialLR(optimizer, parts, [30])


CASES = {
    "warmup": (Warmup(40, 0.25), lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer, 0.25, 1.0, 40)),
    "cosine": (Cosine(), lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, TOTAL)),
    "cosine, end": (Cosine(end=0.3), lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, TOTAL, eta_min=0.3)),
    "cosine, warmup": (Cosine(warmup=30, start=0.1, end=0.2), warm_cosine),
    "step": (Step(0.3, 25), lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 25, 0.3)),
    "exponential": (Exponential(0.97), lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)),
}


@pytest.mark.parametrize("case", CASES)
def test_schedules_are_pytorch_s(case):
    ours, theirs = CASES[case]
    np.testing.assert_allclose([ours.factor(update, TOTAL) for update in range(TOTAL)], rates_of(theirs), rtol=1e-9, atol=1e-12)


def test_inverse_square_root_is_the_paper_s_up_to_its_scale():
    """d^-0.5 · min(n^-0.5, n · w^-1.5), divided by its largest value, (d·w)^-0.5."""
    paper = [min(n**-0.5, n * 40**-1.5) / 40**-0.5 for n in range(1, TOTAL + 1)]
    np.testing.assert_allclose([InverseSqrt(40).factor(update, TOTAL) for update in range(TOTAL)], paper, rtol=1e-12)


def test_values_that_can_be_worked_out_by_hand():
    assert Cosine().factor(50, 100) == pytest.approx(0.5)
    assert Cosine(warmup=50).factor(75, 100) == pytest.approx(0.5)
    assert Cosine(warmup=50, start=0.5).factor(25, 100) == pytest.approx(0.75)
    assert Cosine(end=0.25).factor(10**6, 100) == pytest.approx(0.25)  # a run that goes on longer than planned
    assert Warmup(0).factor(0, 10) == Cosine(warmup=0).factor(0, 0) == 1
    assert Step(0.5, 10).factor(30, 100) == 0.125
    assert InverseSqrt(100).factor(399, 1000) == pytest.approx(0.5)
    assert Exponential().factor(1099, 1) == pytest.approx(1 / math.e, rel=0.1)
