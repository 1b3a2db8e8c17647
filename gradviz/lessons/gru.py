"""Lesson 8: the GRU, simplified and full."""

from typing import ClassVar

import numpy as np

from gradviz.dynamics.decay import half_life
from gradviz.lessons import _gru
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._gru import EVERY, FREE, Hold
from gradviz.lessons._gru_plays import Felt, Microscope
from gradviz.lessons._words import Equation

SIMPLE = Equation(
    r"\begin{array}{l}\tilde{c}^{\langle t\rangle}=\tanh\left(W_c[c^{\langle t-1\rangle},x^{\langle t\rangle}]+b_c\right)\\"
    r"\Gamma_u=\sigma\left(W_u[c^{\langle t-1\rangle},x^{\langle t\rangle}]+b_u\right)\\"
    r"c^{\langle t\rangle}=\Gamma_u\,\tilde{c}^{\langle t\rangle}+(1-\Gamma_u)\,c^{\langle t-1\rangle},\quad "
    r"a^{\langle t\rangle}=c^{\langle t\rangle}\end{array}",
    r"\begin{array}{l}n_t=\tanh\left(W_n h_{t-1}+U_n x_t+b_n\right)\\z_t=\sigma\left(W_z h_{t-1}+U_z x_t+b_z\right)\\"
    r"h_t=(1-z_t)\,n_t+z_t\,h_{t-1}\end{array}",
)
MIX = Equation(
    r"c^{\langle t\rangle}=\Gamma_u\,\tilde{c}^{\langle t\rangle}+(1-\Gamma_u)\,c^{\langle t-1\rangle}",
    r"h_t=(1-z_t)\,n_t+z_t\,h_{t-1}",
)
UNIT = Equation(
    r"\Gamma_u=\sigma(12\,\text{noun}-12\,\text{clause}-6),\quad\tilde{c}^{\langle t\rangle}=\tanh(3\,\text{number}),\quad "
    r"P(\text{were})=\sigma(4\,c^{\langle t\rangle})",
    r"z_t=\sigma(6-12\,\text{noun}+12\,\text{clause}),\quad n_t=\tanh(3\,\text{number}),\quad P(\text{were})=\sigma(4\,h_t)",
)
BACK = Equation(
    r"\frac{\partial c^{\langle 6\rangle}}{\partial c^{\langle 2\rangle}}=\prod_{t=3}^{6}\left(1-\Gamma_u^{\langle t\rangle}\right)",
    r"\frac{\partial h_6}{\partial h_2}=\prod_{t=3}^{6}z_t",
)
SQUASH = Equation(r"1-\sigma(s)=\sigma(-s)=\frac{1}{1+e^{s}}")
FULL = Equation(
    r"\tilde{c}^{\langle t\rangle}=\tanh\left(W_c[\Gamma_r\,c^{\langle t-1\rangle},x^{\langle t\rangle}]+b_c\right);\qquad "
    r"W=\begin{pmatrix}1&2\\3&4\end{pmatrix},\;c=\begin{pmatrix}1\\1\end{pmatrix},\;\Gamma_r=\begin{pmatrix}1\\0\end{pmatrix}",
    r"n_t=\tanh\left(r_t\,(W_n h_{t-1}+b_{hn})+U_n x_t+b_n\right);\qquad "
    r"W=\begin{pmatrix}1&2\\3&4\end{pmatrix},\;h=\begin{pmatrix}1\\1\end{pmatrix},\;r=\begin{pmatrix}1\\0\end{pmatrix}",
)


class Gru(Lesson):
    order = 8
    title = "GRU: the gate microscope"
    claim = "A gate decides at every word what a memory keeps"
    goal = "say what an update gate keeps, for how long, and what changes when you hold it"
    plays: ClassVar = (Microscope, Felt)
    dispels = "A GRU remembers by default."
    notes = "Gated Recurrent Unit (GRU)"
    code = ("gradviz.cells.gru_simplified", "gradviz.cells.gru_reset_before", "gradviz.cells.gru", "gradviz.hooks")
    sources: ClassVar = (
        Source("Cho et al. 2014, Learning phrase representations using RNN encoder–decoder", "https://arxiv.org/abs/1406.1078"),
        Source("Chung et al. 2014, Empirical evaluation of gated recurrent neural networks", "https://arxiv.org/abs/1412.3555"),
    )
    view = "gates"
    screens: ClassVar = (
        Screen(
            "A GRU has a memory {memory}. At each word it makes a **proposal** {proposal}, and the **update gate**, between 0 and 1, "
            "mixes: the share {new} of the memory is new, the share {kept} is kept. The memory is also its output.",
            SIMPLE,
            0,
            {"step": 2},
        ),
        Screen(
            "A trap: the gate’s name. The course notes’ $\\Gamma_u$ is the share of the **new** value, and so is Chung’s $z$. Cho, PyTorch "
            "and the charts of real runs here write $z$ for the share **kept**, $1-\\Gamma_u$. In this lesson’s pictures the gate is the "
            "share of the new value.",
            MIX,
            0,
            {"step": 2},
        ),
        Screen(
            "One unit, set by hand, reads “the cats that the dog chased”: was or were? It knows what is a noun, what stands in the clause "
            "from “that” on, and the number: plural 1, singular −1. Its memory is to hold the number of the subject.",
            UNIT,
            0,
            {"step": 2},
        ),
        Screen(
            "At “cats” {new} is {open:.4f}; at “dog”, in the clause, {shut:.4f}. So the memory is {cats:.4f} after “cats”, {end:.4f} at "
            "the end, and “were” has the probability {were:.3f}. Switch the clause’s mark off, and it has {unmarked:.3f}.",
            UNIT,
            0,
        ),
        Screen(
            "Now hold the gate at “dog” wide open: {new} = 1. “Dog” replaces all that was kept. The memory is {dog:.4f}, and “were” has "
            "only {dog_were:.3f}. What stood before “dog” has not moved.",
            MIX,
            0,
            {"clamp": "5 dog", "value": 1.0},
        ),
        Screen(
            "Hold every gate half open. Each word halves what was there, whether it has something to say or not: the memory ends at "
            "{half:.3f}, “were” at {half_were:.3f}. The **nearest** noun wins, since it was halved least often.",
            MIX,
            0,
            {"clamp": "all", "value": 0.5},
        ),
        Screen(
            "The gradient goes back the same way. With its own gates the memory at the end feels {felt:.4f} of the memory after “cats”: "
            "almost all. With every gate half open it feels {felt_half}, four halvings.",
            BACK,
            1,
        ),
        Screen(
            "Why a sigmoid? It comes so near to 0 that keeping is cheap: where {new} is the sigmoid of $s = -2$, −4, −6, half of the "
            "memory is left after {life_2}, {life_4:.1f} and {life_6:.0f} steps. For half over 100 steps $s = {for_100:.2f}$ will do. With "
            "all weights zero $s = 0$: {zero_20} is left after 20.",
            SQUASH,
        ),
        Screen(
            "The full GRU’s **reset gate** {reset} scales what the proposal sees of the memory. Here it shuts at nouns; held open, “dog” "
            "proposes {tainted:.3f}, not {clean:.3f}. The notes and Cho scale before the matrix, PyTorch after it: the numbers below make "
            "({before_1:.0f}, {before_2:.0f}), or ({after_1:.0f}, {after_2:.0f}).",
            FULL,
            0,
            {"kind": "full, reset held open"},
        ),
    )
    questions: ClassVar = (
        Question(
            "The update gate at “dog” alone is held at a share of 0.5 of the new value. Was or were?",
            (
                Choice(
                    "“were”: the subject came first",
                    lambda facts: facts["even_were"] >= 0.6,
                    "Coming first is no protection. Only a gate that is nearly shut is, and this one lets half of “dog” in.",
                ),
                Choice(
                    "“was”: the nearest noun wins",
                    lambda facts: facts["even_were"] <= 0.4,
                    "It did with every gate half open, since the words between had faded “cats”. Here they keep it whole.",
                ),
                Choice(
                    "neither: it is a tie, or nearly",
                    lambda facts: 0.4 < facts["even_were"] < 0.6,
                    "Half of +0.99 and half of −1 leave next to nothing.",
                ),
            ),
            "The memory is {even:.3f}, and “were” has {even_were:.3f}. It tips over at a share of {flips:.3f}.",
            0,
            {},
            {"clamp": "5 dog", "value": 0.5},
        ),
        Question(
            "The gate at “the”, the fourth word, is held at 1. At which words is the memory another one then?",
            (
                Choice(
                    "at all six",
                    lambda facts: facts["first_changed"] == 1,
                    "The memory is made word by word: what comes later cannot reach back. Gradients do go back; values do not.",
                ),
                Choice(
                    "at the fourth alone",
                    lambda facts: facts["changed"] == 1,
                    "The gates after it stand where they stood, but what they keep is another memory.",
                ),
                Choice(
                    "from the fourth on",
                    lambda facts: facts["first_changed"] == 4 and facts["changed"] == 3,
                    "Each memory is made of the one before.",
                ),
            ),
            "At {changed} words, from word {first_changed} on. “The” proposes 0, so that “cats” is forgotten: “were” ends at "
            "{cut_were:.3f}.",
            0,
            {},
            {"clamp": "4 the", "value": 1.0},
        ),
        Question(
            "A PyTorch GRU shows $z = 0.9$ at some step. How much of its new state is new?",
            (
                Choice(
                    "0.9",
                    lambda facts: facts["pytorch"] > 0.5,
                    "So it is in the course notes and in Chung’s paper. PyTorch’s gate is the share kept.",
                ),
                Choice("0.1", lambda facts: abs(facts["pytorch"] - 0.1) < 0.01, "Its gate is the share of the old state that is kept."),
                Choice(
                    "that depends on the reset gate",
                    lambda facts: facts["pytorch"] < 0.05,
                    "The reset gate shapes what is proposed; how much of it is taken is the update gate’s affair alone.",
                ),
            ),
            "{pytorch}: PyTorch’s $z$ is the share kept.",
        ),
    )

    def facts(self) -> Facts:
        own, dog, half, even = (_gru.read(hold) for hold in (FREE, Hold((4,), 1.0), Hold(EVERY, 0.5), Hold((4,), 0.5)))
        cut = _gru.read(Hold((3,), 1.0))
        moved = np.flatnonzero(cut.memory != own.memory) + 1
        lives = {f"life_{-pre}": half_life(_gru.kept_over(pre, 1)) for pre in (-2, -4, -6)}
        before, after = (_gru.reset_product(before=first) for first in (True, False))
        open_kind = _gru.read(kind="full, reset held open")
        return {
            "open": float(own.new[1]),
            "shut": float(own.new[4]),
            "cats": float(own.memory[1]),
            "end": float(own.memory[-1]),
            "were": float(own.were[-1]),
            "unmarked": float(_gru.read(clause=False).were[-1]),
            "dog": float(dog.memory[-1]),
            "dog_were": float(dog.were[-1]),
            "half": float(half.memory[-1]),
            "half_were": float(half.were[-1]),
            "felt": float(own.back[1]),
            "felt_half": float(half.back[1]),
            **lives,
            "for_100": _gru.gate_that_keeps(0.5, 100),
            "zero_20": _gru.kept_over(0.0, 20),
            "tainted": float(open_kind.proposal[4]),
            "clean": float(_gru.read(kind="full").proposal[4]),
            **{f"before_{at + 1}": float(value) for at, value in enumerate(before)},
            **{f"after_{at + 1}": float(value) for at, value in enumerate(after)},
            "even": float(even.memory[-1]),
            "even_were": float(even.were[-1]),
            "flips": _gru.flips(),
            "first_changed": int(moved[0]),
            "changed": len(moved),
            "cut_were": float(cut.were[-1]),
            "pytorch": _gru.new_with(0.9),
        }
