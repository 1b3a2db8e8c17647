"""Lesson 9: the LSTM, its highway and its forget bias."""

from typing import ClassVar

import numpy as np

from gradviz.dynamics.decay import half_life
from gradviz.lessons import _lstm
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._lstm_plays import Memory, Road
from gradviz.lessons._words import Equation

LSTM = Equation(
    r"\begin{array}{l}\Gamma_{u,f,o}=\sigma\left(W_{u,f,o}[a^{\langle t-1\rangle},x^{\langle t\rangle}]+b_{u,f,o}\right)\\"
    r"c^{\langle t\rangle}=\Gamma_u\,\tilde{c}^{\langle t\rangle}+\Gamma_f\,c^{\langle t-1\rangle}\\"
    r"a^{\langle t\rangle}=\Gamma_o\tanh(c^{\langle t\rangle})\end{array}",
    r"\begin{array}{l}i_t,f_t,o_t=\sigma\left(W_{i,f,o}\,h_{t-1}+U_{i,f,o}\,x_t+b_{i,f,o}\right)\\"
    r"c_t=i_t\,g_t+f_t\,c_{t-1}\\h_t=o_t\tanh(c_t)\end{array}",
)
MEMORY = Equation(
    r"c^{\langle t\rangle}=\Gamma_u\,\tilde{c}^{\langle t\rangle}+\Gamma_f\,c^{\langle t-1\rangle}",
    r"c_t=i_t\,g_t+f_t\,c_{t-1}",
)
OUTPUT = Equation(r"a^{\langle t\rangle}=\Gamma_o\tanh(c^{\langle t\rangle})", r"h_t=o_t\tanh(c_t)")
HIGHWAY = Equation(
    r"\frac{\partial c^{\langle T\rangle}}{\partial c^{\langle t\rangle}}=\prod_{k=t+1}^{T}\Gamma_f^{\langle k\rangle}",
    r"\frac{\partial c_T}{\partial c_t}=\prod_{k=t+1}^{T}f_k",
)
BIAS = Equation(r"\Gamma_f=\sigma(b_f),\quad\Gamma_f^{\,k}=\frac{1}{2}", r"f=\sigma(b_f),\quad f^{\,k}=\frac{1}{2}")
OTHER = Equation(
    r"\frac{\partial c^{\langle t\rangle}}{\partial c^{\langle t-1\rangle}}=\Gamma_f+\Gamma_u\,w_c\,\Gamma_o=\Gamma_f+\frac{w_c}{4}",
    r"\frac{\partial c_t}{\partial c_{t-1}}=f_t+i_t\,w_c\,o_{t-1}=f_t+\frac{w_c}{4}",
)


class Lstm(Lesson):
    order = 9
    title = "LSTM: the highway"
    claim = "An LSTM’s memory is a highway, and its forget gate sets the toll"
    goal = "turn a forget bias into a half-life, and say how an LSTM vanishes or explodes all the same"
    plays: ClassVar = (Memory, Road)
    dispels = "LSTMs neither vanish nor explode."
    notes = "Long Short Term Memory (LSTM)"
    code = ("gradviz.cells.lstm", "gradviz.dynamics.highway")
    sources: ClassVar = (
        Source("Olah 2015, Understanding LSTM networks", "https://colah.github.io/posts/2015-08-Understanding-LSTMs/"),
        Source(
            "Jozefowicz, Zaremba and Sutskever 2015, An empirical exploration of recurrent network architectures (forget bias 1)",
            "https://proceedings.mlr.press/v37/jozefowicz15.html",
        ),
    )
    view = "gates"
    screens: ClassVar = (
        Screen(
            "An LSTM has a memory {c_t} beside its output {h_t}, and three gates: {forget} keeps, {input} writes, {output} shows. A trap: "
            "the course notes call the writing gate “update”, $\\Gamma_u$; elsewhere it is the **input gate** $i$. It keeps nothing.",
            LSTM,
            0,
        ),
        Screen(
            "Keeping and writing are **separate**. With {forget} = {input} = 1 and the candidate {candidate} = tanh 1, ten steps add up to "
            "{counted:.3f}: the memory counts. A GRU must forget what it overwrites; it never passes {never:.4f}.",
            MEMORY,
            0,
            {"steps": 10},
        ),
        Screen(
            "With {output} = 0 nothing of the memory is seen: the output is {hidden}. But {c_t} stays, {silent:.3f} after ten steps as "
            "before: an LSTM can remember something in silence until it is wanted.",
            OUTPUT,
            0,
            {"steps": 10, "output": 0.0},
        ),
        Screen(
            "Backwards along {c_t} there is neither weight nor tanh: only the forget gates, multiplied. This is the **highway**. With the "
            "gates at 1 nothing is lost, however far it goes.",
            HIGHWAY,
            1,
            {"bias": 6.0},
        ),
        Screen(
            "With weights zero the forget **bias** decides. Biases 0, 1, 2, 3, 5 have half-lives of {life_0}, {life_1}, {life_2}, "
            "{life_3:.1f} and {life_5:.0f} steps. Over 100 steps they let from {left_0} to {left_5:.3f} pass; half needs {half_100:.2f}.",
            BIAS,
            1,
            {"bias": 1.0},
        ),
        Screen(
            "There is another road: through {h_t} and the weights. Let only the candidate be recurrent, with $w_c = 1$, gates at 1/2, "
            "forget bias 5. At $c = 0$ each step multiplies by {factor:.4f}: after 20 steps by {grown:.1f}. It explodes.",
            OTHER,
            1,
            {"bias": 5.0, "weight": 1.0, "steps": 20},
        ),
        Screen(
            "A **ledger** tells the roads apart. Over those 20 steps the logarithms of the forget gates sum up to {gates:.3f}, that of the "
            "whole derivative is {whole:.3f}. The gap came through {h_t}, past the forget gates.",
            OTHER,
            1,
            {"bias": 5.0, "weight": 1.0, "steps": 20},
        ),
    )
    questions: ClassVar = (
        Question(
            "All weights and biases are zero, $T = 100$. How much of the gradient arrives along {c_t}?",
            (
                Choice(
                    "all of it: it is an LSTM",
                    lambda facts: facts["left_0"] > 0.5,
                    "Only with the forget gates at 1. A sigmoid of 0 is 1/2.",
                ),
                Choice("about 1 %", lambda facts: 1e-3 < facts["left_0"] <= 0.5, "That would be so after 7 steps, not after 100."),
                Choice("less than one part in a billion", lambda facts: facts["left_0"] < 1e-9, "A half for each step, 100 times."),
            ),
            "{left_0}. That is why the forget bias begins at 1 or above, not at 0.",
            1,
            {"bias": 0.0, "steps": 10},
            {"bias": 0.0, "steps": 100},
        ),
        Question(
            "Forget bias 5, input and output gates 1/2. From which recurrent weight $w_c$ of the candidate on does the rest at $c = 0$ no "
            "longer hold?",
            (
                Choice(
                    "from 1 on, as in a plain network",
                    lambda facts: 0.5 < facts["unstable"] < 2,
                    "A plain network has no highway beside it. Here the two roads add up.",
                ),
                Choice(
                    "from 4 on, since the two gates quarter it",
                    lambda facts: facts["unstable"] >= 2,
                    "The quarter is right; but the forget gate brings in almost 1 already.",
                ),
                Choice(
                    "from below 0.1 on",
                    lambda facts: facts["unstable"] <= 0.5,
                    "The forget gate is nearly 1: there is room for very little more.",
                ),
            ),
            "Above 4 (1 − {kept_5:.4f}) = {unstable:.3f}. A memory that keeps well stands on the edge.",
            1,
            {"bias": 5.0},
            {"bias": 5.0, "weight": 0.1},
        ),
        Question(
            "The output gate is shut for ten steps, while the other two stand at 1. What becomes of the memory?",
            (
                Choice(
                    "it is emptied",
                    lambda facts: facts["silent"] == 0,
                    "Only the forget gate can empty it. What the output gate shuts is the view.",
                ),
                Choice(
                    "it grows as if the gate were open",
                    lambda facts: facts["silent"] == facts["counted"],
                    "The output gate stands behind the memory. Through recurrent weights it would matter: the next gates see the output.",
                ),
                Choice(
                    "it stands still",
                    lambda facts: 0 < facts["silent"] < facts["counted"],
                    "The input gate is still open, and goes on writing.",
                ),
            ),
            "{silent:.3f} after ten steps, shut or open.",
            0,
            {"steps": 10},
            {"steps": 10, "output": 0.0},
        ),
    )

    def facts(self) -> Facts:
        one = float(np.tanh(1))
        silent, hidden = _lstm.written(10, 1.0, 1.0, 0.0, one)
        ledger = _lstm.roads(5.0, 1.0, 20)
        return {
            "counted": float(_lstm.written(10, 1.0, 1.0, 1.0, one)[0][-1]),
            "never": float(_lstm.mixed(10, 1.0, one).max()),
            "hidden": float(hidden[-1]),
            "silent": float(silent[-1]),
            **{f"life_{bias}": half_life(_lstm.kept(bias)) for bias in (0, 1, 2, 3, 5)},
            **{f"left_{bias}": float(np.exp(_lstm.roads(bias, 0.0, 100).gates[-1])) for bias in (0, 5)},
            "half_100": _lstm.half_over(100),
            "factor": float(np.exp(ledger.whole[1])),
            "grown": float(np.exp(ledger.whole[-1])),
            "gates": float(ledger.gates[-1]),
            "whole": float(ledger.whole[-1]),
            "kept_5": _lstm.kept(5.0),
            "unstable": _lstm.unstable(5.0),
        }
