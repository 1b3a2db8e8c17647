"""Lesson 6: vanishing and exploding gradients."""

from typing import ClassVar

import numpy as np

from gradviz.lessons import _vanishing
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._vanishing import Spectrum, Weight
from gradviz.lessons._words import Equation

PRODUCT = Equation(
    r"\frac{\partial a^{\langle T\rangle}}{\partial a^{\langle 1\rangle}}"
    r"=\prod_{t=2}^{T}\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}}=w^{\,T-1}",
    r"\frac{\partial h_T}{\partial h_1}=\prod_{t=2}^{T}\frac{\partial h_t}{\partial h_{t-1}}=w^{\,T-1}",
)
SLOPE = Equation(
    r"\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}}=w\left(1-(a^{\langle t\rangle})^2\right)",
    r"\frac{\partial h_t}{\partial h_{t-1}}=w\left(1-h_t^2\right)",
)
BOUND = Equation(
    r"\left\|\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}}\right\|\le\sigma_1(W_{aa})",
    r"\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\|\le\sigma_1(W_{hh})",
)
JORDAN = Equation(r"W=\begin{pmatrix}0.9&5\\0&0.9\end{pmatrix},\quad\rho(W)=0.9")
FIXED = Equation(r"W=4\begin{pmatrix}1&-1\\1&-1\end{pmatrix},\quad\rho(W)=0,\quad\sigma_1(W)=8")
RANDOM = Equation(r"W_{ij}\sim\mathcal{N}\!\left(0,\tfrac{g^2}{n}\right),\quad n=64")


class Vanishing(Lesson):
    order = 6
    title = "Vanishing and exploding"
    claim = "A gradient that goes back in time is multiplied at every step"
    goal = "predict the gradient at the first time step from the weight, the length and the state, and say what decides: ρ, σ₁ or the slope"
    plays: ClassVar = (Weight, Spectrum)
    dispels = "w > 1 explodes and ρ < 1 vanishes."
    notes = "Vanishing gradients with RNNs"
    code = ("gradviz.dynamics.products", "gradviz.dynamics.jacobians", "gradviz.dynamics.recurrent")
    sources: ClassVar = (
        Source(
            "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks", "https://arxiv.org/abs/1211.5063"
        ),
    )
    view = "gradient_flow"
    screens: ClassVar = (
        Screen(
            "What the last state feels of the first one is a **product**, one factor a step. Without tanh, in a network of one unit, every "
            "factor is the weight $w$.",
            PRODUCT,
            0,
            {"w": 1.0},
        ),
        Screen(
            "Over $T = 50$ steps $w = 0.9$ leaves {linear_09} of the gradient: it halves every {half_life} steps. $w = 1.1$ makes it "
            "{linear_11:.1f} times larger.",
            PRODUCT,
            0,
            {"w": 0.9},
        ),
        Screen(
            "It is a knife’s edge: {halved:.3f} halves the gradient over 50 steps, {doubled:.3f} doubles it. No learning keeps a weight "
            "that exact; what carries far needs another design.",
            PRODUCT,
            0,
            {"w": 1.01},
        ),
        Screen(
            "With tanh each factor also holds its **slope**. From {h_0} = 0.5 without input, $w = 0.9$ leaves {tanh_09}, and 1.1 only "
            "{tanh_11}: the state settles where the factor is {factor:.3f}. At state 0 the slope is 1, and it is {linear_11:.1f} again.",
            SLOPE,
            0,
            {"w": 1.1},
        ),
        Screen(
            "Of vectors a factor is a matrix. No step stretches more than $\\sigma_1$, the largest singular value of the recurrent "
            "weights: $\\sigma_1 < 1$ **suffices** for vanishing. $\\sigma_1 > 1$ is needed for exploding, and promises nothing.",
            BOUND,
            1,
        ),
        Screen(
            "The spectral radius $\\rho < 1$ suffices for linear networks only, and late: here $\\|W^k\\|$ first grows to {peak:.1f} at "
            "$k = {peak_at}$, and is below 1 from $k = {below}$ on.",
            JORDAN,
            1,
            {"weights": "late"},
        ),
        Screen(
            "With tanh, ρ of the weights says nothing. Here ρ = 0; but at the fixed point $h = (0, \\sqrt{{0.9}})$ the step’s Jacobian has "
            "the eigenvalue {eigenvalue:.1f}, and 20 steps multiply by {twenty}.",
            FIXED,
            1,
            {"weights": "at rest"},
        ),
        Screen(
            "A layer of 64 random units with $g = 1.5$: ρ = {rho:.2f}, σ₁ = {sigma:.2f}. Measured along its own states, the gradient "
            "grows {measured:.3f}-fold a step: between what both would say.",
            RANDOM,
            1,
            {"g": 1.5},
        ),
    )
    questions: ClassVar = (
        Question(
            "The weight goes from 0.9 to 1.1, without tanh, $T = 50$. What happens to the gradient at $t = 1$?",
            (
                Choice(
                    "1.2 times larger, as the weight", lambda facts: facts["linear_gain"] < 2, "That is one step; there are 49 of them."
                ),
                Choice("about 60 times larger", lambda facts: 2 <= facts["linear_gain"] < 1000, "It would be so if steps added up."),
                Choice("more than 10 000 times larger", lambda facts: facts["linear_gain"] >= 1000, "The ratio of the weights, 49 times."),
            ),
            "(1.1 / 0.9)⁴⁹: {linear_gain:,.0f} times larger.",
            0,
            {"w": 0.9},
            {"w": 1.1},
        ),
        Question(
            "The same with tanh, from the state 0.5, without input. And now?",
            (
                Choice(
                    "larger as well, if less so",
                    lambda facts: facts["tanh_gain"] > 1,
                    "The weight is; but the slope is part of each factor.",
                ),
                Choice("it stays", lambda facts: facts["tanh_gain"] == 1),
                Choice(
                    "smaller",
                    lambda facts: facts["tanh_gain"] < 1,
                    "A weight above 1 drives the state away from 0, to where tanh is flat.",
                ),
            ),
            "{tanh_loss:.0f} times **smaller**: from {tanh_09} to {tanh_11}.",
            0,
            {"w": 0.9},
            {"w": 1.1},
        ),
    )

    def facts(self) -> Facts:
        linear_09, linear_11 = (_vanishing.left(w, 50, 0.5, "linear") for w in (0.9, 1.1))
        tanh_09, tanh_11 = (_vanishing.left(w, 50, 0.5, "tanh") for w in (0.9, 1.1))
        powers = _vanishing.norms_of_powers(_vanishing.LATE, 100)
        random = _vanishing.drawn(1.5, "normal")
        return {
            "linear_09": linear_09,
            "linear_11": linear_11,
            "half_life": float(np.log(0.5) / np.log(0.9)),
            "halved": 0.5 ** (1 / 49),
            "doubled": 2 ** (1 / 49),
            "tanh_09": tanh_09,
            "tanh_11": tanh_11,
            "factor": _vanishing.factor_at_rest(1.1),
            "peak": float(powers.max()),
            "peak_at": int(powers.argmax()),
            "below": int(np.flatnonzero(powers >= 1).max()) + 1,
            "eigenvalue": _vanishing.at_rest().radius,
            "twenty": _vanishing.at_rest().after(20),
            "rho": random.rho,
            "sigma": random.sigma,
            "measured": random.rate,
            "linear_gain": linear_11 / linear_09,
            "tanh_gain": tanh_11 / tanh_09,
            "tanh_loss": tanh_09 / tanh_11,
        }
