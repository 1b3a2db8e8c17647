"""Lesson 2: the basic recurrent network, step by step."""

from typing import ClassVar

from gradviz.lessons import _basic_rnn
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._basic_rnn_plays import Map, Unit
from gradviz.lessons._words import Equation

STEP = Equation(
    r"a^{\langle t\rangle}=\tanh\left(W_{aa}a^{\langle t-1\rangle}+W_{ax}x^{\langle t\rangle}+b_a\right),\quad "
    r"\hat{y}^{\langle t\rangle}=g\left(W_{ya}a^{\langle t\rangle}+b_y\right)",
    r"h_t=\tanh\left(W_{hh}h_{t-1}+W_{ih}x_t+b\right),\quad \hat{y}_t=g\left(W_{hy}h_t+b_y\right)",
)
ONE = Equation(
    r"a^{\langle t\rangle}=\tanh\left(w\,a^{\langle t-1\rangle}+u\,x^{\langle t\rangle}+b\right)",
    r"h_t=\tanh\left(w\,h_{t-1}+u\,x_t+b\right)",
)
REST = Equation(r"a=\tanh(2a)", r"h=\tanh(2h)")
SLOPE = Equation(
    r"\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}}=w\left(1-(a^{\langle t\rangle})^2\right)",
    r"\frac{\partial h_t}{\partial h_{t-1}}=w\left(1-h_t^2\right)",
)
SET, PULSE = "2 0 0 0 0 0 0 0 0 0 0 0", "2 0 0 0 0 -1 0 0 0 0 0 0"


class BasicRNN(Lesson):
    order = 2
    title = "The basic RNN"
    claim = "A recurrent network rewrites its state at every step, always with the same weights"
    goal = "compute three steps of a recurrent network by hand, and say when a unit echoes and when it latches"
    plays: ClassVar = (Unit, Map)
    dispels = "A plain RNN cannot hold anything. It can hold a bit for ever; learning to is what is hard."
    notes = "Recurrent neural network model"
    code = ("gradviz.cells.rnn", "gradviz.network", "gradviz.dynamics.fixed_points")
    sources: ClassVar = (
        Source(
            "Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is difficult",
            "https://doi.org/10.1109/72.279181",
        ),
        Source("Elman 1990, Finding structure in time", "https://doi.org/10.1207/s15516709cog1402_1"),
    )
    view = "gallery"
    screens: ClassVar = (
        Screen(
            "A recurrent network reads input after input and keeps a **state**. The new state {h_t} is made of the old one, {h_prev}, "
            "and of the input {x_t}. Whatever it answers, {y_hat}, is read off its state.",
            STEP,
            0,
        ),
        Screen(
            "One unit with $w = 0.5$, $u = 1$ and the inputs 1, 0, 0, 0. Its state is {echo_1:.4f}, {echo_2:.4f}, {echo_3:.4f}, "
            "{echo_4:.4f}: the input is gone, and an **echo** of it fades.",
            ONE,
            0,
            {"step": 4},
        ),
        Screen(
            "Every step uses the **same weights**. Two units with three inputs have {shared} parameters, however long the sequence; two "
            "dense units that read 100 steps at once have {dense}. And what is learned at one place works at all others.",
            STEP,
            0,
            {"step": 4},
        ),
        Screen(
            "The order of the inputs counts. After 1, 0, −1 the state is {forwards:.4f}; after −1, 0, 1 it is {backwards:.4f}. The latest "
            "input speaks loudest.",
            ONE,
            0,
            {"step": 3, "inputs": "1 0 -1"},
        ),
        Screen(
            "With $w = 2$ and no input the state 0 repels, and ±{rest:.4f} attract. The unit has **latched**: it keeps its side for ever. "
            "Only a pulse beyond {flip:.3f} against it flips it.",
            REST,
            1,
            {"w": 2.0},
        ),
        Screen(
            "There the slope is {slope:.4f}: a disturbance shrinks to a sixth at every step, so the memory is robust. But gradients take "
            "the same way back: what protects the state divides them by {divided:.0f} a step.",
            SLOPE,
            1,
            {"w": 2.0, "start": 0.6},
        ),
    )
    questions: ClassVar = (
        Question(
            "$w = 2$, and the state has come to rest at {rest:.4f}. Now one input −1, then zeros. Is what was stored forgotten?",
            (
                Choice(
                    "yes: the state fades to 0",
                    lambda facts: abs(facts["last"]) < 0.5,
                    "It would with w below 1. Here 0 repels.",
                ),
                Choice("yes: it flips to the other side", lambda facts: facts["last"] < -0.5, "The pulse is too small for that."),
                Choice(
                    "no: it comes back",
                    lambda facts: facts["last"] > 0.5,
                    "The state stays above 0, and from there every step leads up again.",
                ),
            ),
            "It falls to {pulse_1:.4f} and climbs again: {pulse_2:.4f}, {pulse_3:.4f}. After a pulse of −1.9 it ends at {weak:.4f} all the "
            "same, after −2 at {strong:.4f}.",
            0,
            {"w": 2.0, "step": 6, "inputs": SET},
            {"w": 2.0, "step": 6, "inputs": PULSE},
        ),
        Question(
            "There is no input, and $w$ grows from 0.5 to 1.5. What becomes of the places where the state can rest?",
            (
                Choice(
                    "still 0 alone, reached more slowly",
                    lambda facts: facts["places"] == 1,
                    "So it is up to w = 1, where the slope at 0 becomes 1.",
                ),
                Choice(
                    "none: the state grows without bound",
                    lambda facts: facts["places"] == 0,
                    "Without tanh it would; tanh keeps it between −1 and 1.",
                ),
                Choice(
                    "0 repels, and two new ones attract",
                    lambda facts: facts["places"] == 3,
                    "The curve is steeper than the diagonal at 0, and flat far out: so it crosses three times.",
                ),
            ),
            "Past $w = 1$ there are {places}: 0, with slope {at_zero}, and ±{side:.3f}, with slope {at_side:.3f}.",
            1,
            {"w": 0.5},
            {"w": 1.5},
        ),
    )

    def facts(self) -> Facts:
        echo = _basic_rnn.run((1.0, 0.0, 0.0, 0.0), 0.5).after
        latched, three = _basic_rnn.rests(2.0)[-1], _basic_rnn.rests(1.5)
        pulse, weak, strong = (_basic_rnn.after_pulse(size, 2.0, latched.state, 60) for size in (-1.0, -1.9, -2.0))
        return {
            **{f"echo_{t}": float(value) for t, value in enumerate(echo, 1)},
            "shared": _basic_rnn.parameters(2, 3),
            "dense": _basic_rnn.dense_parameters(2, 300),
            "forwards": float(_basic_rnn.run((1.0, 0.0, -1.0), 0.5).after[-1]),
            "backwards": float(_basic_rnn.run((-1.0, 0.0, 1.0), 0.5).after[-1]),
            "rest": latched.state,
            "flip": _basic_rnn.flips_at(2.0, latched.state),
            "slope": latched.slope,
            "divided": 1 / latched.slope,
            **{f"pulse_{t}": float(value) for t, value in enumerate(pulse[:3], 1)},
            "last": float(pulse[-1]),
            "weak": float(weak[-1]),
            "strong": float(strong[-1]),
            "places": len(three),
            "at_zero": three[1].slope,
            "side": three[-1].state,
            "at_side": three[-1].slope,
        }
