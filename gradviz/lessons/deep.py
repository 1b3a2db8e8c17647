"""Lesson 11: recurrent layers on top of each other."""

from typing import ClassVar

import numpy as np

from gradviz.lessons import _deep
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._deep import Grid, Hump
from gradviz.lessons._words import Equation

LAYER = Equation(
    r"a^{[l]\langle t\rangle}=g\left(W_a^{[l]}\left[a^{[l]\langle t-1\rangle},\,a^{[l-1]\langle t\rangle}\right]+b_a^{[l]}\right)",
    r"h_t^{l}=\tanh\left(W^{l}h_{t-1}^{l}+U^{l}h_t^{l-1}+b^{l}\right)",
)
WAYS = Equation(r"\frac{(T+L-2)!}{(T-1)!\,(L-1)!}\;\text{ways}")
SUMMED = Equation(
    r"\frac{\partial a^{[L]\langle T\rangle}}{\partial a^{[1]\langle T-k\rangle}}=\frac{(k+L-1)!}{k!\,(L-1)!}\;w^{k}\,d^{\,L-1}",
    r"\frac{\partial h_T^{L}}{\partial h_{T-k}^{1}}=\frac{(k+L-1)!}{k!\,(L-1)!}\;w^{k}\,d^{\,L-1}",
)
LATE = slice(150, 200)  # lags


class Deep(Lesson):
    order = 11
    title = "Deep RNNs"
    claim = "More layers give the gradient more ways, and leave its rate per step"
    goal = "say what further layers add to a gradient, ways, and what they leave as it is, the factor per step"
    plays: ClassVar = (Grid, Hump)
    dispels = "More layers vanish more."
    notes = "Deep RNNs"
    code = ("gradviz.network", "gradviz.stack")
    sources: ClassVar = (
        Source(
            "Graves, Mohamed and Hinton 2013, Speech recognition with deep recurrent neural networks", "https://arxiv.org/abs/1303.5778"
        ),
    )
    view = "gradient_flow"
    screens: ClassVar = (
        Screen(
            "Recurrent layers can stand on top of each other. Each reads two things: its **own state** one step ago, and what the **layer "
            "below** has made at this very step. The network answers from the top layer.",
            LAYER,
            0,
            {"layers": 2, "steps": 10},
        ),
        Screen(
            "So the states form a grid: steps to the right, layers upwards. Influence goes right, with the weight $w$ in time, and up, "
            "with the weight $d$ in depth. A gradient takes the same edges back.",
            LAYER,
            0,
            {"steps": 10},
        ),
        Screen(
            "Without tanh and with all weights 1, the gradient **counts the ways** to the last cell. Over $T = 50$ steps there are "
            "{ways_1:.0f}, {ways_2:.0f} or {ways_3:,.0f} of them from the first cell, for one, two or three layers.",
            WAYS,
            0,
            {"w": 1.0, "depth": 1.0},
        ),
        Screen(
            "Now 0.9 for all weights and three layers. Every way shrinks, but there are many. At step 1 the bottom layer’s gradient is "
            "{bottom:.2f}; the top layer’s is {alone:.5f}, as if it stood alone.",
            SUMMED,
            0,
        ),
        Screen(
            "Backwards in time it first rises, from {start:.2f} at lag 0 to {peak:.1f} at lag {peak_at}. It is below {start:.2f} from lag "
            "{below} on, and {late} at lag 199. Ways grow like a power of the lag; $0.9^k$ wins.",
            SUMMED,
            1,
            {"steps": 200},
        ),
    )
    questions: ClassVar = (
        Question(
            "Three layers instead of one, all weights 0.9, $T = 50$. What happens to the gradient at step 1 of the bottom layer?",
            (
                Choice(
                    "it gets smaller: two more factors 0.9",
                    lambda facts: facts["gain"] < 0.99,
                    "True of each single way. But the ways add up.",
                ),
                Choice(
                    "it stays: the factor per step is the same",
                    lambda facts: 0.99 <= facts["gain"] <= 1.01,
                    "So it is for the top layer, to which there is one way only.",
                ),
                Choice(
                    "it gets larger",
                    lambda facts: facts["gain"] > 1.01,
                    "1275 ways instead of one, each 0.81 times as much.",
                ),
            ),
            "{gain:,.0f} times larger: from {alone:.5f} to {bottom:.2f}.",
            0,
            {"layers": 1},
            {},
        ),
        Question(
            "One layer with $w = 0.9$ loses a tenth at every step back. How much does the bottom one of three layers keep per step, "
            "between the lags 150 and 199?",
            (
                Choice("0.73, which is 0.9³", lambda facts: facts["rate"] < 0.8, "A way goes up twice in all, not at every step."),
                Choice("0.91", lambda facts: 0.8 <= facts["rate"] < 1, "0.9, and a little for the ways that are still being added."),
                Choice("more than 1: the number of ways grows", lambda facts: facts["rate"] >= 1, "It does at first, up to lag 17."),
            ),
            "{rate:.3f} per step. Layers lift the line and shift its fall; far back it falls as fast as one layer’s. They are no cure for "
            "vanishing.",
            1,
            {"steps": 20},
            {"steps": 200},
        ),
    )

    def facts(self) -> Facts:
        line = _deep.bottom(3, 200, 0.9, 0.9)
        three, alone = _deep.bottom(3, 50, 0.9, 0.9)[-1], _deep.bottom(1, 50, 0.9, 0.9)[-1]
        late = line[LATE]
        return {
            **{f"ways_{layers}": float(_deep.bottom(layers, 50, 1.0, 1.0)[-1]) for layers in (1, 2, 3)},
            "bottom": float(three),
            "alone": float(alone),
            "gain": float(three / alone),
            "start": float(line[0]),
            "peak": float(line.max()),
            "peak_at": int(line.argmax()),
            "below": int(np.flatnonzero(line >= line[0]).max()) + 1,
            "late": float(line[-1]),
            "rate": float((late[-1] / late[0]) ** (1 / (len(late) - 1))),
        }
