"""What lesson 6 computes and draws: one weight against time, and matrices of weights."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Line, Panel, Path, Points, log10
from gradviz.dynamics.jacobians import follow, step_jacobians
from gradviz.dynamics.products import Scaled, span
from gradviz.lessons._play import Play, control
from gradviz.lessons._small import plain, unit
from gradviz.lessons._words import spelled
from gradviz.wording import number

LN10 = float(np.log(10))
LATE = np.array([[0.9, 5.0], [0.0, 0.9]])
FOLDED = 4 * np.array([[1.0, -1.0], [1.0, -1.0]])
REST = np.array([0.0, np.sqrt(0.9)])
SIZE = 64
STEPS = 50
LEAST = (-6.0, 3.0)  # powers of ten: the axis stands still while the weight moves


@lru_cache(maxsize=64)
def log_back(w: float, steps: int, start: float, activation: str) -> Array:
    """(steps,) natural log of |∂h_T/∂h_t|, t = 1 … T, of one unit without input."""
    path = follow(unit(w, activation=activation), np.zeros((steps, 1)), np.array([start]))
    with np.errstate(divide="ignore"):
        factors = np.log(np.abs(step_jacobians(path)[:, 0, 0]))
    return np.append(np.cumsum(factors[:0:-1])[::-1], 0.0)


def left(w: float, steps: int, start: float, activation: str) -> float:
    """∂h_T/∂h_1."""
    return float(np.exp(log_back(w, steps, start, activation)[0]))


def factor_at_rest(w: float) -> float:
    """∂h_t/∂h_{t−1} where the unit comes to rest."""
    return float(step_jacobians(follow(unit(w), np.zeros((1000, 1)), np.array([0.5])))[-1, 0, 0])


@dataclass(frozen=True)
class Weight(Play):
    """|∂h_T/∂h_t| against t, with tanh and without."""

    name: ClassVar[str] = "One weight against time"
    alive: ClassVar[str] = "w"

    w: float = control(0.9, "Weight w", (0.5, 1.5, 0.01))
    steps: int = control(50, "Length T", (10, 200, 10))
    start: float = control(0.5, "State before the first step", (-1.0, 1.0, 0.1))

    def draw(self) -> Description:
        t = np.arange(1, self.steps + 1)
        linear, tanh = (log_back(self.w, self.steps, self.start, kind) / LN10 for kind in ("linear", "tanh"))
        marks = (
            Line(t, linear, "without tanh", "ghost", dashed=True, label="without tanh"),
            Line(t, tanh, "with tanh", "accent", label="with tanh"),
        )
        limits = min(LEAST[0], linear.min(), tanh.min()), max(LEAST[1], linear.max(), tanh.max())
        ends = [spelled(10.0 ** float(line[0])) for line in (linear, tanh)]
        frame = pd.DataFrame({"t": t, "without_tanh": 10.0**linear, "with_tanh": 10.0**tanh})
        return Description(
            "weight",
            f"With w = {spelled(self.w)} the gradient at the first of {self.steps} steps is {ends[0]} without tanh, {ends[1]} with it",
            f"|∂h_T/∂h_t|, how much the last state feels a change of the state at step t, log scale. One unit from the state "
            f"{number(self.start)}, no input.",
            "Without tanh it is a straight line, and only w = 1 stays level. With tanh a weight above 1 drives the state to where the "
            "slope is small: the line bends down all the same. Look at w = 1 and on either side of it.",
            frame,
            (Panel(marks, Axis("time step t", limits=(1, self.steps)), Axis("", "log", limits)),),
            columns=1,
            shape="line",
        )


@dataclass(frozen=True)
class Matrix:
    """A matrix of recurrent weights, along the states it leads through. eigenvalues: (unit,); sigma: σ₁; jacobians: (time, unit, unit)
    of the steps from the second on."""

    eigenvalues: Array
    sigma: float
    jacobians: Array

    @property
    def rho(self) -> float:
        return float(np.abs(self.eigenvalues).max())

    @property
    def rate(self) -> float:
        """The factor per step by which ‖∂h_T/∂h_1‖ has grown, its geometric mean."""
        return float(np.exp(self.product.log_norm / len(self.jacobians)))

    @property
    def product(self) -> Scaled:
        return span(self.jacobians, 0, len(self.jacobians))

    @property
    def radius(self) -> float:
        """The largest |eigenvalue| of the last step's Jacobian."""
        return float(np.abs(np.linalg.eigvals(self.jacobians[-1])).max())

    def after(self, steps: int) -> float:
        """‖∂h_{t+steps}/∂h_t‖ (spectral norm) over the first ones."""
        return float(np.exp(span(self.jacobians, 0, steps).log_norm))


def _along(weights: Array, start: Array, bias: Array | None = None, activation: str = "tanh", steps: int = STEPS) -> Matrix:
    path = follow(plain(weights, bias, activation), np.zeros((steps, len(weights))), start)
    return Matrix(np.linalg.eigvals(weights), float(np.linalg.norm(weights, 2)), step_jacobians(path)[1:])


@lru_cache(maxsize=64)
def drawn(gain: float, kind: str) -> Matrix:
    """64 units: W ~ N(0, g²/64), or g times a random rotation; then h_0 ~ N(0, 1)."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((SIZE, SIZE))
    weights = np.linalg.qr(weights)[0] if kind == "orthogonal" else weights / np.sqrt(SIZE)
    return _along(gain * weights, rng.standard_normal(SIZE))


@lru_cache(maxsize=1)
def late() -> Matrix:
    return _along(LATE, np.zeros(2), activation="linear", steps=100)


@lru_cache(maxsize=1)
def at_rest() -> Matrix:
    """At its fixed point, which b = artanh(h) − W h makes one. It is unstable: few steps stay there, so one Jacobian is repeated."""
    first = _along(FOLDED, REST, np.arctanh(REST) - FOLDED @ REST, steps=2)
    return Matrix(first.eigenvalues, first.sigma, np.repeat(first.jacobians[:1], STEPS, axis=0))


def norms_of_powers(weights: Array, last: int) -> Array:
    """(last + 1,) spectral norms of W⁰ … W^last."""
    powers = [np.eye(len(weights))]
    for _ in range(last):
        powers.append(weights @ powers[-1])
    return np.asarray(np.linalg.norm(np.array(powers), 2, axis=(1, 2)))


KINDS = ("normal", "orthogonal", "late", "at rest")


@dataclass(frozen=True)
class Spectrum(Play):
    """Eigenvalues of recurrent weights, and what the gradient makes of them."""

    name: ClassVar[str] = "A matrix of weights"
    alive: ClassVar[str] = "g"

    g: float = control(0.9, "Gain g", (0.2, 3.0, 0.1), help="of random weights")
    weights: str = control("normal", "Weights", choices=KINDS, help="late: step 6 of the story; at rest: step 7")

    def draw(self) -> Description:
        it = {"late": late, "at rest": at_rest}[self.weights]() if self.weights in ("late", "at rest") else drawn(self.g, self.weights)
        growth = _growth(it)
        frame = pd.DataFrame({"real": it.eigenvalues.real, "imaginary": it.eigenvalues.imag})
        linear = ", without tanh" if self.weights == "late" else ""
        return Description(
            "spectrum",
            f"ρ = {number(it.rho, 3)} and σ₁ = {number(it.sigma, 3)}; measured, the gradient makes {_pace(it.rate)}{linear}",
            f"Left: eigenvalues of the recurrent weights ({len(it.eigenvalues)} units) and the unit circle. Right: ‖∂h_t/∂h_1‖ along the "
            f"network’s own states{linear}, log scale, and what σ₁ and ρ alone would say, σ₁^k and ρ^k.",
            "The measured line lies below σ₁’s, always. ρ’s is no bound: tanh flattens, and a matrix far from a rotation overshoots first. "
            "What counts is what is measured along the states.",
            frame,
            (_circle(it), _panel(it, growth)),
            columns=2,
            shape="multiples",
        )


def _pace(rate: float) -> str:
    return f"×{rate:.3f} a step"


def _growth(it: Matrix) -> Array:
    """log10 ‖∂h_{1+k}/∂h_1‖, k = 0 … all."""
    product, logs = Scaled.of(np.eye(len(it.eigenvalues))), [0.0]
    for jacobian in it.jacobians:
        product = product.after(jacobian)
        logs.append(product.log_norm / LN10)
    return np.array(logs)


def _circle(it: Matrix) -> Panel:
    around = np.linspace(0, 2 * np.pi, 181)
    edge = 1.08 * max(1.05, it.rho)
    marks = (
        Path(np.cos(around), np.sin(around), "unit circle", "axis", thin=True),
        Points(it.eigenvalues.real, it.eigenvalues.imag, "eigenvalues", "accent", small=len(it.eigenvalues) > 8),
    )
    return Panel(marks, Axis("real part", limits=(-edge, edge)), Axis("imaginary part", limits=(-edge, edge)), "Eigenvalues")


def _panel(it: Matrix, growth: Array) -> Panel:
    k = np.arange(len(growth))
    with np.errstate(invalid="ignore"):
        bounds = [(name, np.where(k == 0, 0.0, k * log10([value])), value) for name, value in (("σ₁", it.sigma), ("ρ", it.rho))]
    lines = [Line(k, line, f"{name}^k", "ghost", dashed=name == "ρ", label=name) for name, line, value in bounds if value > 1e-6]
    return Panel((*lines, Line(k, growth, "measured", "accent", label="measured")), Axis("steps k"), Axis("", "log"), "Growth")
