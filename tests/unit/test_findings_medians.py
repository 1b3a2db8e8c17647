"""Medians of what came before, and who stands out against them, against plain loops."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from gradviz.findings import _medians, exploding, under_clipped

VALUES, CASES = [0.0, 1e-3, 1.0, 30.0, 999.0, 1001.0, 2e3, 4e6, np.inf, np.nan], 150


def cases() -> Iterator[list[float]]:
    """Mostly one value, zero in every third case, with others strewn in."""
    dice = np.random.default_rng(0)
    for case in range(CASES):
        rare = dice.uniform(0, 0.4)
        likely = np.full(len(VALUES), rare / (len(VALUES) - 1))
        likely[0 if case % 3 == 0 else 2] = 1 - rare
        yield dice.choice(VALUES, size=dice.integers(1, 90), p=likely).tolist()


def usual(norms: list[float], place: int, least: int) -> float:
    finite = sorted(value for value in norms[:place] if np.isfinite(value))
    half = len(finite) // 2
    return np.nan if len(finite) < least else finite[half] if len(finite) % 2 else (finite[half - 1] + finite[half]) / 2


def test_medians_of_what_came_before() -> None:
    for norms in cases():
        values, places = np.array(norms), np.arange(len(norms))
        expected = [usual(norms, place, 3) for place in places]
        np.testing.assert_array_equal(_medians.before(values, places[: _medians.FEW], 3), expected[: _medians.FEW])
        np.testing.assert_array_equal(_medians.before(values, places, 3), expected)  # the running one, if there are many


def test_the_largest_spike() -> None:
    found = []
    for norms in cases():
        before = [usual(norms, place, exploding.BEFORE) for place in range(len(norms))]
        spikes = [place for place, norm in enumerate(norms) if norm > exploding.SPIKE * before[place]]
        found.append(exploding._spike(pd.DataFrame({"norm_before": norms})))
        assert found[-1] == (max(spikes, key=lambda place: (norms[place], -place)) if spikes else None)
    assert None in found
    assert len(set(found)) > 5


def test_norms_out_of_scale() -> None:
    found = 0
    for norms in cases():
        values, clipped = np.array(norms), np.arange(len(norms)) % 7 == 0
        scale = under_clipped.GIANT * np.median(values[np.isfinite(values)]) if np.isfinite(values).any() else np.nan
        before = [usual(norms, place, under_clipped.BEFORE) for place in range(len(norms))]
        giants = [
            bool(np.isfinite(norm) and norm >= scale and norm >= under_clipped.GIANT * before[place] > 0 and not clipped[place])
            for place, norm in enumerate(norms)
        ]
        assert under_clipped._giants(pd.DataFrame({"norm_before": values, "clipped": clipped}), values).tolist() == giants
        found += sum(giants)
    assert found > 20


@pytest.mark.parametrize("count", [1, 2 * _medians.FEW])
def test_both_ways_agree_on_many_values(count: int) -> None:
    values = np.random.default_rng(0).lognormal(size=3000)
    places = np.linspace(100, 2999, count).astype(int)
    expected = [np.median(values[:place]) for place in places]
    np.testing.assert_allclose(_medians.before(values, places, 20), expected, rtol=1e-15)
