"""Lyapunov spectra of random networks against theory (Engelken, Wolf and Abbott 2020, and what they build on)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._description import Axis, Description, Line, Panel, Points, Rule
from gradviz.dynamics.jacobians import in_pieces
from gradviz.dynamics.lyapunov import Spectrum, spectrum
from gradviz.dynamics.recurrent import recurrent
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.reproductions._random import gaussian_exponents, map_of, mean_field, rate_network
from gradviz.wording import listed, number, percent

STEP, GAIN = 0.1, 4.0  # of the rate network, as in the authors' example


@dataclass(frozen=True)
class Sizes:
    rate: tuple[int, ...]  # units of the rate networks
    time: int  # how long they are followed, in time constants
    map: int  # units of the map
    steps: int
    gains: tuple[float, ...]
    product: int  # steps of the product of random matrices


FULL = Sizes((60, 120, 240), 600, 300, 1000, (0.5, 0.8, 1.5, 2.0, 3.0, 5.0, 10.0), 6000)
QUICK = Sizes((60, 120), 250, 200, 400, (0.5, 5.0), 2000)


class Lyapunov(Reproduction):
    title = "Lyapunov spectra of random networks"
    source = "Engelken, Wolf and Abbott 2020 (arXiv 2006.02427); Newman 1986; Sompolinsky, Crisanti and Sommers 1988"
    question = (
        "By how much does a network stretch each direction of its state in the long run? In large random networks theory knows: do the "
        "computed spectra agree with it, and do they have the shape that was published?"
    )
    minutes = 1.5

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        sizes = QUICK if quick else FULL
        tell("A product of random matrices, whose exponents are known exactly")
        product = _product(sizes.product, seed)
        tell(f"The largest exponent of random maps with gains {listed([f'{gain:g}' for gain in sizes.gains])}")
        largest = {gain: _largest(gain, sizes, seed) for gain in sizes.gains}
        tell(f"The whole spectrum of rate networks of {listed([str(units) for units in sizes.rate])} units")
        rates = {units: _rate(units, sizes.time, seed) for units in sizes.rate}
        statements = (_exact(product), _edge(largest), _theory(largest), _invariant(rates), _few(rates), _symmetric(rates))
        shares = listed([percent(_share(found)) for found in rates.values()])
        claim = (
            f"Random rate networks of {listed([str(units) for units in rates])} units have {shares} of their directions on the attractor"
        )
        return Outcome(claim, statements, _settings(sizes), (_spectra(rates), _over_gain(largest), _trace(rates[max(rates)])))


def _product(steps: int, seed: int) -> Spectrum:
    rng = np.random.default_rng([seed, 6])
    return spectrum((rng.standard_normal((1, 20, 20)) / np.sqrt(20) for _ in range(steps)), warm_up=100)


@dataclass(frozen=True)
class Largest:
    """measured; expected: ln ρ(J) at rest, ½ ln χ in chaos."""

    measured: float
    expected: float


def _largest(gain: float, sizes: Sizes, seed: int) -> Largest:
    path = map_of(sizes.map, gain, sizes.steps, seed)
    found = spectrum(in_pieces(path), warm_up=sizes.steps // 3, count=4, every=2)
    expected = float(np.log(recurrent(path.network)[0].radius)) if gain < 1 else mean_field(gain)
    return Largest(float(found.exponents[0]), expected)


def _rate(units: int, time: int, seed: int) -> Spectrum:
    return spectrum(rate_network(units, GAIN, STEP, round(time / STEP), seed), warm_up=round(50 / STEP))


def _share(found: Spectrum) -> float:
    """Kaplan–Yorke dimension, as a share of the units."""
    return found.dimension / len(found.exponents)


# ---------------------------------------------------------------------- statements


def _exact(product: Spectrum) -> Statement:
    expected = gaussian_exponents(20)
    error = np.abs(product.exponents - expected)
    return Statement(
        "A product of Gaussian matrices drawn anew at each step has the exponents ½ [ln(2/N) + ψ((N − i + 1)/2)].",
        "Newman 1986",
        f"Over {product.steps} steps of 20 × 20 matrices all twenty differ from it by at most {number(float(error.max()))}; the largest is "
        f"{number(product.exponents[0], 3)}, expected {number(expected[0], 3)}.",
        agrees(bool(error[:10].max() < 0.03 and error.max() < 0.1)),
        "The smallest exponents vary most over so many steps.",
    )


def _edge(largest: dict[float, Largest]) -> Statement:
    rest = {gain: one for gain, one in largest.items() if gain < 1}
    error = max(abs(one.measured - one.expected) for one in rest.values())
    said = [f"{number(one.measured, 3)} at g = {gain:g} (ln ρ = {number(one.expected, 3)})" for gain, one in rest.items()]
    return Statement(
        "Below g = 1 a random network comes to rest at zero, where the largest exponent is the logarithm of the spectral radius.",
        "Sompolinsky, Crisanti and Sommers 1988: the transition to chaos at g = 1",
        f"λ₁ is {listed(said)}.",
        agrees(error < 0.02),
    )


def _theory(largest: dict[float, Largest]) -> Statement:
    chaos = {gain: one for gain, one in largest.items() if gain > 1}
    error = max(abs(one.measured - one.expected) for one in chaos.values())
    said = [f"{number(one.measured, 3)} at g = {gain:g} (theory {number(one.expected, 3)})" for gain, one in chaos.items()]
    return Statement(
        "In discrete time random matrix theory is a good approximation; for the largest exponent it says ½ ln χ.",
        "abstract of Engelken, Wolf and Abbott 2020",
        f"λ₁ is {listed(said)}.",
        agrees(error < 0.05),
        "Theory is that of infinitely many units; one network of this size was drawn for each gain.",
    )


def _invariant(rates: dict[int, Spectrum]) -> Statement:
    at = np.linspace(0.05, 0.95, 19)
    shapes = [np.interp(at, _places(found), found.exponents / STEP) for found in rates.values()]
    apart = float(np.max(np.ptp(shapes, axis=0)) / np.ptp(shapes[-1]))
    return Statement(
        "Chaos is extensive: the spectrum has the same shape at every size of the network.",
        "abstract of Engelken, Wolf and Abbott 2020",
        f"Over i/N the spectra of {listed([str(units) for units in rates])} units lie within {percent(apart)} of their span of each other; "
        f"the dimension of the attractor is {listed([percent(_share(found)) for found in rates.values()])} of the units.",
        agrees(apart < 0.1),
    )


def _few(rates: dict[int, Spectrum]) -> Statement:
    units, found = max(rates.items())
    return Statement(
        "The attractor has far fewer dimensions than the network has units.",
        "abstract of Engelken, Wolf and Abbott 2020",
        f"With {units} units and g = {GAIN:g} its Kaplan–Yorke dimension is {number(found.dimension, 3)}, the largest exponent "
        f"{number(found.exponents[0] / STEP, 3)} per time constant; {found.said}",
        agrees(_share(found) < 0.2 and found.exponents[0] > 0),
    )


def _symmetric(rates: dict[int, Spectrum]) -> Statement:
    found = rates[max(rates)].exponents / STEP
    centre = (found + found[::-1]) / 2
    off = float(np.median(np.abs(centre - found.mean())) / np.ptp(found))
    return Statement(
        "A generalized symmetry under reversal of time makes the spectrum point-symmetric.",
        "abstract of Engelken, Wolf and Abbott 2020",
        f"In half of all pairs the middle of λᵢ and λ of N + 1 − i lies within {percent(off)} of the spectrum's span of its mean, "
        f"{number(float(found.mean()), 3)}.",
        agrees(off < 0.02),
        f"Time goes in steps of {STEP} here, which bends the symmetry at the ends of the spectrum.",
    )


def _settings(sizes: Sizes) -> tuple[Setting, ...]:
    return (
        Setting("rate network", "τ dh/dt = −h + J tanh(h), Jᵢⱼ ~ N(0, g²/N), no unit coupled to itself", "the same"),
        Setting("gain g, step dt", "4 and 0.1 in the authors' example", "4 and 0.1"),
        Setting("units", "100 in the example", listed([str(units) for units in sizes.rate])),
        Setting("followed for", "1000 τ in the example", f"{sizes.time} τ, of which the first 50 only turn the directions"),
        Setting("map", "h ← tanh(J h)", f"the same, {sizes.map} units, {sizes.steps} steps"),
        Setting("product of random matrices", "–", f"20 × 20, {sizes.product} steps"),
    )


# ---------------------------------------------------------------------- pictures


def _places(found: Spectrum) -> Array:
    """i/N, the middle of each exponent's place."""
    count = len(found.exponents)
    return np.asarray((np.arange(count) + 0.5) / count)


def _spectra(rates: dict[int, Spectrum]) -> Description:
    colours = dict(zip(rates, ("ghost", "accent", "ink"), strict=False))
    lines = [
        Line(_places(found), found.exponents / STEP, f"{units} units", colours[units], label=f"{units} units")
        for units, found in rates.items()
    ]
    frames = [
        pd.DataFrame({"units": units, "i": np.arange(1, units + 1), "exponent per τ": found.exponents / STEP})
        for units, found in rates.items()
    ]
    return Description(
        "lyapunov_spectra",
        f"Spectra of {listed([str(units) for units in rates])} units have one shape; few directions grow",
        "Lyapunov exponents per time constant, the largest first, against their place among all. Linear scales.",
        "What lies above zero is chaos: these directions grow. Curves that lie on one another: twice the units bring twice as many.",
        pd.concat(frames, ignore_index=True),
        (Panel((Rule(0.0), *lines), Axis("i / N", limits=(0.0, 1.0)), Axis("exponent per τ")),),
        columns=1,
        shape="line",
        source="Engelken, Wolf and Abbott 2020",
    )


def _over_gain(largest: dict[float, Largest]) -> Description:
    gains, finer = np.array(list(largest)), np.linspace(1.05, max(largest), 60)
    measured = np.array([one.measured for one in largest.values()])
    theory = Line(finer, np.array([mean_field(gain) for gain in finer]), "theory, ½ ln χ", "ghost", dashed=True, label="theory")
    rest = Line(below := np.linspace(min(largest), 1.0, 30), np.log(below), "ln g, at rest", "ghost", dashed=True, label="at rest")
    frame = pd.DataFrame({"gain": gains, "measured": measured, "expected": [one.expected for one in largest.values()]})
    worst = float((frame["measured"] - frame["expected"]).abs().max())
    return Description(
        "lyapunov_over_gain",
        f"The largest exponent of random maps follows theory within {number(worst)}",
        "Largest Lyapunov exponent, natural logarithm per step, against the gain g of the couplings; marks measured, one network each.",
        "Below g = 1 the network forgets, above it is chaotic: gradients through it vanish or explode at this very rate.",
        frame,
        (Panel((Rule(0.0), theory, rest, Points(gains, measured, "measured", "rnn")), Axis("gain g"), Axis("exponent per step")),),
        columns=1,
        shape="line",
        source="Sompolinsky, Crisanti and Sommers 1988; Engelken, Wolf and Abbott 2020",
    )


def _trace(found: Spectrum) -> Description:
    some: Sequence[int] = np.unique(np.linspace(0, len(found.trace) - 1, 200).astype(int)).tolist()
    steps = np.array(some) + 1.0
    shown = [0, 1, 4, 9]
    lines = [
        Line(steps * STEP, found.trace[some, i] / STEP, f"λ of place {i + 1}", "rnn" if i == 0 else "ghost", label=f"{i + 1}")
        for i in shown
    ]
    frame = pd.DataFrame({"time constants": steps * STEP, **{f"exponent {i + 1}": found.trace[some, i] / STEP for i in shown}})
    return Description(
        "lyapunov_trace",
        "The exponents settle" if found.converged else "The exponents have not settled yet",
        f"Running means of the exponents of four places, over the time that counts, linear scales; {found.said}",
        "Lines that have become level are measurements; one that still drifts is not.",
        frame,
        (Panel((Rule(0.0), *lines), Axis("time constants"), Axis("exponent per τ")),),
        columns=1,
        shape="line",
        source="Benettin et al. 1980",
    )
