"""Lesson 5: backpropagation through time."""

from typing import ClassVar

from gradviz.lessons import _backpropagation
from gradviz.lessons._backpropagation_plays import Shares, Triangle
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._words import Equation

UNIT = Equation(
    r"a^{\langle t\rangle}=w\,a^{\langle t-1\rangle}+x^{\langle t\rangle},\quad L=\sum_t L^{\langle t\rangle},\quad "
    r"L^{\langle t\rangle}=\tfrac{1}{2}(a^{\langle t\rangle})^2",
    r"h_t=w\,h_{t-1}+x_t,\quad L=\sum_t L_t,\quad L_t=\tfrac{1}{2}h_t^2",
)
BACK = Equation(
    r"\frac{\partial L}{\partial a^{\langle t\rangle}}=\frac{\partial L^{\langle t\rangle}}{\partial a^{\langle t\rangle}}"
    r"+\left(\frac{\partial a^{\langle t+1\rangle}}{\partial a^{\langle t\rangle}}\right)^{\top}"
    r"\frac{\partial L}{\partial a^{\langle t+1\rangle}}",
    r"\frac{\partial L}{\partial h_t}=\frac{\partial L_t}{\partial h_t}"
    r"+\left(\frac{\partial h_{t+1}}{\partial h_t}\right)^{\top}\frac{\partial L}{\partial h_{t+1}}",
)
MATRIX = Equation(
    r"G_{tk}=\frac{\partial L^{\langle t\rangle}}{\partial a^{\langle k\rangle}},\quad "
    r"\sum_t G_{tk}=\frac{\partial L}{\partial a^{\langle k\rangle}}",
    r"G_{tk}=\frac{\partial L_t}{\partial h_k},\quad \sum_t G_{tk}=\frac{\partial L}{\partial h_k}",
)
SUM = Equation(
    r"\frac{dL}{dw}=\sum_t\frac{\partial L}{\partial a^{\langle t\rangle}}\,a^{\langle t-1\rangle}",
    r"\frac{dL}{dw}=\sum_t\frac{\partial L}{\partial h_t}\,h_{t-1}",
)
SMALL = {"steps": 3, "w": 0.5, "loss": "at each step"}


class Backpropagation(Lesson):
    order = 5
    title = "Backpropagation in time"
    claim = "Unrolled in time, a recurrent network learns by plain backpropagation"
    goal = "fill in a gradient matrix of three steps, and sum it up to the gradient of the shared weight"
    plays: ClassVar = (Triangle, Shares)
    dispels = "Backpropagation through time is another algorithm than backpropagation."
    notes = "Backpropagation through time"
    code = ("gradviz.unroll", "gradviz.dynamics.matrix", "gradviz.gradcheck")
    sources: ClassVar = (
        Source("Werbos 1990, Backpropagation through time: what it does and how to do it", "https://doi.org/10.1109/5.58337"),
        Source("Zhang et al., Dive into Deep Learning, section 9.7", "https://d2l.ai/chapter_recurrent-neural-networks/bptt.html"),
    )
    view = "gradient_flow"
    screens: ClassVar = (
        Screen(
            "Unrolled, a recurrent network is a deep one with a layer for each step, and all layers share their weight. Take one unit "
            "without tanh, $w = 0.5$, three inputs 1: its states are {state_1}, {state_2} and {state_3}. Each step has a loss.",
            UNIT,
            0,
        ),
        Screen(
            "A state counts twice: in the loss of its own step, and through the state that comes after it. So walk back from the end, and "
            "add both parts at each step.",
            BACK,
            0,
        ),
        Screen(
            "At the end there is only the direct part, {total_3}. Then {state_2} + 0.5 · {total_3} = {total_2:.3f}, and {state_1} + 0.5 · "
            "{total_2:.3f} = {total_1:.4f}. Through time came {through_2} and {through_1:.4f}.",
            BACK,
            0,
        ),
        Screen(
            "Loss by loss, this is a triangle: no loss feels a later state. Row $t$ is the loss of step $t$, and each step to the left "
            "multiplies by $w$. The **columns sum to the totals**.",
            MATRIX,
            0,
        ),
        Screen(
            "All steps share $w$, so its gradient is a **sum** over steps, each total times the state before it: 0 + {share_2} + {share_3} "
            "= {whole:.0f}. A finite difference, which knows no backward pass, says {difference:.3f}.",
            SUM,
            1,
            SMALL,
        ),
        Screen(
            "With $w = 0.9$ and one loss after 50 steps, the last 1, 5, 10 and 20 steps hold {late_1:.1f}, {late_5:.1f}, {late_10:.1f} and "
            "{late_20:.1f} % of the gradient. The weight learns mostly from the near past.",
            SUM,
            1,
        ),
    )
    questions: ClassVar = (
        Question(
            "Each loss on its own grows with the state: 1, 1.5, 1.75. Which state has the largest **total** gradient?",
            (
                Choice(
                    "the first: all three losses feel it",
                    lambda facts: facts["largest"] == 1,
                    "They do, but the later ones come multiplied by 0.5 and 0.25.",
                ),
                Choice(
                    "the second",
                    lambda facts: facts["largest"] == 2,
                    "Its own loss is nearly the largest, and half of the last one’s arrives as well.",
                ),
                Choice("the last: its loss is the largest", lambda facts: facts["largest"] == 3, "So it is for the direct part alone."),
            ),
            "The totals are {total_1:.4f}, {total_2:.3f} and {total_3}: the largest is at state {largest}.",
            0,
            {"cut": 1},
            {},
        ),
        Question(
            "Somebody cuts the gradient at every step, so that only direct parts are left. What is left of dL/dw, which was {whole:.0f}?",
            (
                Choice(
                    "all of it: the weight is the same",
                    lambda facts: facts["direct_only"] > 4.9,
                    "The weight is; but what came through time is lost in each total.",
                ),
                Choice(
                    "about four fifths",
                    lambda facts: 3 < facts["direct_only"] <= 4.9,
                    "Direct parts times the states before: 1.5 · 1 + 1.75 · 1.5.",
                ),
                Choice(
                    "a third: one of three steps",
                    lambda facts: facts["direct_only"] <= 3,
                    "Each step still gives its direct part, only the way back is cut.",
                ),
            ),
            "{direct_only:.3f}, which is {left:.1f} %. The shorter the memory that the task needs, the less is lost.",
            0,
            {},
            {"cut": 1},
        ),
    )

    def facts(self) -> Facts:
        it, cut = _backpropagation.flow(3, 0.5), _backpropagation.flow(3, 0.5, truncation=1)
        return {
            **{f"state_{t}": float(value) for t, value in enumerate(it.states, 1)},
            **{f"total_{t}": float(value) for t, value in enumerate(it.total, 1)},
            **{f"through_{t}": float(it.total[t - 1] - it.direct[t - 1]) for t in (1, 2)},
            **{f"share_{t}": f"{it.shares[t - 1]:.3f}" for t in (2, 3)},
            "whole": it.whole,
            "difference": _backpropagation.difference(3, 0.5),
            **{f"late_{last}": 100 * _backpropagation.late_share(50, 0.9, last) for last in (1, 5, 10, 20)},
            "largest": int(it.total.argmax()) + 1,
            "direct_only": cut.whole,
            "left": 100 * cut.whole / it.whole,
        }
