"""Lesson 12: reading a real run."""

from typing import ClassVar

import numpy as np

from gradviz.findings import verdicts
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._first_bit import LENGTH, Course, course
from gradviz.lessons._real_run import COIN, Film, Training
from gradviz.lessons._words import Equation
from gradviz.wording import listed

LOGISTIC = Equation(r"L=-y\log\hat{y}-(1-y)\log(1-\hat{y}),\qquad\hat{y}=\tfrac{1}{2}\;\Rightarrow\;L=\ln 2")
HALF = Equation(
    r"\frac{\|\partial L/\partial c^{\langle 1\rangle}\|}{\|\partial L/\partial c^{\langle 30\rangle}\|}=2^{-29/\text{half-life}}",
    r"\frac{\|\partial L/\partial c_1\|}{\|\partial L/\partial c_{30}\|}=2^{-29/\text{half-life}}",
)


def _severe(one: Course) -> str:
    """The rules that complain, in words."""
    ill = [verdict for verdict in verdicts(one.run) if verdict.severity in ("critical", "warning")]
    return listed([f"{verdict.code.replace('_', ' ')} ({verdict.word})" for verdict in ill])


# Of 40 seeds each, those whose last 20 losses average below 0.1: `seeds` in tests/oracles/test_lesson_real_run.py computes them.
SOLVED = {"A": 1, "A, rate × 10": 0, "bias 1": 40, "bias 3": 40, "C": 2, "C, clipped": 37}


class RealRun(Lesson):
    order = 12
    title = "Reading a real run"
    claim = "Six looks tell why a training fails, and what to change"
    goal = "find which run fails, since when and where, and change the one thing that matters"
    plays: ClassVar = (Training, Film)
    dispels = "A flat loss wants a higher learning rate."
    notes = "All of them, on one training"
    code = ("gradviz.training", "gradviz.recording.recorder", "gradviz.findings")
    sources: ClassVar = (
        Source("Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is difficult", ""),
        Source("Madsen 2019, Visualizing memorization in RNNs", "https://distill.pub/2019/memorization-in-rnns/"),
    )
    view = "overview"
    waits = "Three small networks are trained for this lesson, which takes a few seconds."
    screens: ClassVar = (
        Screen(
            "The task: the first of 30 values is ±1, the others are noise; say at the end which it was. First ask **what knowing nothing "
            "scores**: ln 2 = {coin:.4f} nats. Of a text it is ln V, V the size of the vocabulary.",
            LOGISTIC,
            0,
        ),
        Screen(
            "Run A, an LSTM of 16 units, has {loss_a:.3f} at its end: exactly a coin. It has learned **nothing**, although nothing is "
            "broken. A loss says that something is wrong, never what.",
            None,
            0,
            {"update": 400},
        ),
        Screen(
            "Next the **norm before clipping**. A’s median is {norm_a:.3f}, and {clipped_a} of 400 updates were clipped: no explosion. C, "
            "a plain RNN without clipping, begins with a norm of {norm_c:,.0f}; {share_c:.0f} % of its square lies in {W_hh}.",
            None,
            0,
            {"run": "C", "update": 1},
        ),
        Screen(
            "Then the **gradient against time**, at update 1. In A {ratio_a} of it reaches step 1: a half-life of {half_a:.1f} steps, "
            "where 29 are needed. In C it grows {rate_c:.3f}-fold a step. In B, A with forget bias 3, {ratio_b:.2f} arrives.",
            HALF,
            0,
            {"run": "A", "update": 1},
        ),
        Screen(
            "C’s first step, {norm_c:,.0f} long times the rate, throws its weights: the share of units beyond ±0.9 goes from {stuck_1:.0f} "
            "to {stuck_2:.0f} %, and at update 2 only {ratio_c2} arrives. **An explosion leaves a corpse that looks vanished.**",
            None,
            0,
            {"run": "C", "update": 2},
        ),
        Screen(
            "The **findings** say the same by rules one can check. Of A: {finding_a}. Of C: {finding_c}. Each comes with its numbers; the "
            "dashboard shows them beside every run.",
            None,
            1,
            {"run": "C"},
        ),
        Screen(
            "Now **change one thing**, the one that the looks point at. A with forget bias 1 solves the task in {bias_1} of 40 seeds, "
            "untouched in {as_is}. C with its gradient clipped at 1: {c_clipped} of 40 instead of {c_plain}.",
            None,
            0,
            {"run": "B", "update": 400},
        ),
    )
    questions: ClassVar = (
        Question(
            "Run A: the loss is flat, nothing is clipped. What do you change?",
            (
                Choice(
                    "the learning rate, ten times larger",
                    lambda facts: facts["rate"] > facts["bias_1"],
                    "{rate} of 40 seeds: ten times a gradient that does not arrive is still none.",
                ),
                Choice(
                    "the clipping threshold",
                    lambda facts: facts["clipped_a"] > 200,
                    "It never acted: {clipped_a} of 400 updates were clipped.",
                ),
                Choice(
                    "the forget bias",
                    lambda facts: facts["bias_1"] > facts["rate"] and facts["clipped_a"] < 200,
                    "The gradient’s half-life is {half_a:.1f} steps, and the forget gate sets it.",
                ),
            ),
            "The forget bias: {bias_1} of 40 seeds; the rate: {rate}.",
            0,
            {"run": "A", "update": 400},
            {"run": "B", "update": 400},
        ),
        Question(
            "Run C at update 2: {ratio_c2} of the gradient arrives at step 1. Was the network born vanished, or killed?",
            (
                Choice("born vanished: it is a plain RNN", lambda facts: facts["ratio_c"] < 1, "At update 1 its gradient **grew**."),
                Choice(
                    "killed by its first step", lambda facts: facts["ratio_c"] > 1 > facts["ratio_c2"], "Look at update 1 before you judge."
                ),
                Choice("neither: that is how tanh learns", lambda facts: facts["stuck_2"] < 50, "{stuck_2:.0f} % of its units are stuck."),
            ),
            "Killed: at update 1 the gradient at step 1 was {ratio_c:,.0f} times that at step 30, at update 2 it is {ratio_c2}.",
            0,
            {"run": "C", "update": 2},
            {"run": "C", "update": 1},
        ),
    )

    def facts(self) -> Facts:
        a, b, c = (course(name) for name in "ABC")
        first = c.run.table("parameters").query("step == 0")
        squares = first["gradient_before"] ** 2
        return {
            "coin": COIN,
            "loss_a": float(a.column("loss")[-20:].mean()),
            "norm_a": float(np.median(a.column("norm_before"))),
            "clipped_a": int(a.column("clipped").sum()),
            "norm_c": float(c.column("norm_before")[0]),
            "share_c": 100 * float(squares[first["parameter"].str.endswith("weight_hh")].sum() / squares.sum()),
            "ratio_a": a.ratio(1),
            "half_a": float((LENGTH - 1) * np.log(0.5) / np.log(a.ratio(1))),
            "ratio_b": b.ratio(1),
            "ratio_c": c.ratio(1),
            "rate_c": float(c.ratio(1) ** (1 / (LENGTH - 1))),
            "ratio_c2": c.ratio(2),
            "stuck_1": 100 * float(c.saturated[0]),
            "stuck_2": 100 * float(c.saturated[1]),
            "finding_a": _severe(a),
            "finding_c": _severe(c),
            "bias_1": SOLVED["bias 1"],
            "as_is": SOLVED["A"],
            "rate": SOLVED["A, rate × 10"],
            "c_clipped": SOLVED["C, clipped"],
            "c_plain": SOLVED["C"],
        }
