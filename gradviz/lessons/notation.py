"""Lesson 1: notation, batches of different lengths, masks."""

from typing import ClassVar

import numpy as np

from gradviz.lessons import _notation
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._notation import Cells
from gradviz.lessons._words import Equation

LENGTHS = (5, 3, 8)
EXAMPLE = Equation(
    r"x^{(i)\langle 1\rangle},\;x^{(i)\langle 2\rangle},\;\dots,\;x^{(i)\langle T_x^{(i)}\rangle}",
    r"x_1^{(i)},\;x_2^{(i)},\;\dots,\;x_{T_{x,i}}^{(i)}",
)
INDEX = Equation(r"x^{(i)\langle t\rangle}=\mathtt{x[}\,t-1,\;i-1\,\mathtt{]}", r"x_t^{(i)}=\mathtt{x[}\,t-1,\;i-1\,\mathtt{]}")
MASKED = Equation(
    r"L=\frac{\sum_{i,t}m^{(i)\langle t\rangle}\,\ell^{(i)\langle t\rangle}}{\sum_{i,t}m^{(i)\langle t\rangle}},\quad "
    r"m^{(i)\langle t\rangle}=\begin{cases}1&t\le T_x^{(i)}\\0&t>T_x^{(i)}\end{cases}",
    r"L=\frac{\sum_{i,t}m_t^{(i)}\,\ell_t^{(i)}}{\sum_{i,t}m_t^{(i)}},\quad m_t^{(i)}=\begin{cases}1&t\le T_{x,i}\\0&t>T_{x,i}\end{cases}",
)
SHAPES = Equation(r"T_y^{(i)}=T_x^{(i)}\quad\text{or}\quad T_y^{(i)}=1", r"T_{y,i}=T_{x,i}\quad\text{or}\quad T_{y,i}=1")


class Notation(Lesson):
    order = 1
    title = "Notation and lengths"
    claim = "Sequences of different lengths share one array, and only real cells count"
    goal = "find any input of any example in a padded batch, and say which cells count"
    plays: ClassVar = (Cells,)
    dispels = "Padding is zero and does no harm."
    notes = "Notation"
    code = ("gradviz.shapes", "gradviz.unroll", "gradviz.losses")
    sources: ClassVar = (Source("Goodfellow, Bengio and Courville 2016, Deep Learning, chapter 10", "https://www.deeplearningbook.org/"),)
    view = "text"
    screens: ClassVar = (
        Screen(
            "A batch holds several examples. Example $i$ is a sequence of inputs {x_it}, from step 1 to its own length {T_x}. Its targets "
            "{y_it} have a length of their own, {T_y}.",
            EXAMPLE,
            0,
        ),
        Screen(
            "In code all of it is one array with the axes (time, batch, unit), counted **from 0**. The table counts both ways: steps to "
            "the right, examples downwards.",
            INDEX,
            0,
        ),
        Screen(
            "The array is as long as its longest example. Lengths 5, 3 and 8 make {cells} cells, {padding} of them **padding**: zeros that "
            "nobody wrote, shown as //. If the loss counts them, they have a gradient like all others.",
            None,
            0,
            {"mask": False},
        ),
        Screen(
            "So the mean is taken over real cells alone: the mask $m$ is 1 up to the example’s length, then 0. The gradient of the padding "
            "is now **0**, not merely small.",
            MASKED,
            0,
        ),
        Screen(
            "What is asked decides how many targets there are. A language model answers at every step, {T_y} = {T_x}. A verdict on a film "
            "review is one answer, {T_y} = 1, read off the last state.",
            SHAPES,
            0,
        ),
        Screen(
            "The last state stands at {T_x}, not where the array ends. After its three inputs example 2 is at {at_length:.4f}; led on "
            "through the padding it has faded to {at_end:.4f} at step 8.",
            None,
            0,
            {"last": "end of array"},
        ),
    )
    questions: ClassVar = (
        Question(
            "Where in the array is {x_23}, the third input of the second example?",
            (
                Choice(
                    "`x[1, 2]`", lambda facts: facts["place"] == (1, 2), "That is the order batch, time: the second input of example 3."
                ),
                Choice("`x[2, 1]`", lambda facts: facts["place"] == (2, 1), "Time comes first, and both count from 0."),
                Choice(
                    "`x[3, 2]`", lambda facts: facts["place"] == (3, 2), "Counted from 1, it would be. In code that is step 4 of example 3."
                ),
            ),
            "Step 3 is at {place[0]}, example 2 at {place[1]}: `x[{place[0]}, {place[1]}]`.",
            0,
        ),
        Question(
            "A model guesses evenly among 10 tokens, {nats:.4f} nats each, at the {real} real cells. Padding it always gets right, at no "
            "cost. Nobody masks the mean over {cells} cells. Which perplexity, exp of the mean, is reported?",
            (
                Choice(
                    "10: it guesses among 10",
                    lambda facts: facts["perplexity"] > 9,
                    "True of the real cells; but padding takes part in this mean.",
                ),
                Choice(
                    "about 7: a third of the cells is padding, so 10 falls by a third",
                    lambda facts: 6 < facts["perplexity"] <= 9,
                    "The mean falls by a third, and it stands in the exponent.",
                ),
                Choice(
                    "less than 5",
                    lambda facts: facts["perplexity"] < 5,
                    "Two thirds of the nats: 10 to the power of two thirds.",
                ),
            ),
            "The mean is {loss:.4f} nats, the perplexity {perplexity:.2f} instead of {masked:.0f}: padding flatters, and the more of it "
            "the more.",
            0,
            {},
            {"mask": False},
        ),
    )

    def facts(self) -> Facts:
        it, loss, right = _notation.read(LENGTHS, True), _notation.even_guess(LENGTHS, False), _notation.even_guess(LENGTHS, True)
        return {
            "cells": it.mask.size,
            "padding": int((~it.mask).sum()),
            "real": int(it.mask.sum()),
            "at_length": float(it.last[1]),
            "at_end": float(it.states[-1, 1]),
            "place": _notation.place_of(2, 3, LENGTHS),
            "nats": right,
            "loss": loss,
            "perplexity": float(np.exp(loss)),
            "masked": float(np.exp(right)),
        }
