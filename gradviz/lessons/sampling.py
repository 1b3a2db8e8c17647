"""Lesson 4: drawing sentences from a language model."""

from typing import ClassVar

import numpy as np

from gradviz.lessons import _sampling
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._sampling import Draw, Frequencies
from gradviz.lessons._toy_language import END, WORDS, Written, after, sentences, spoken
from gradviz.lessons._words import Equation

START = Equation(
    r"x^{\langle 1\rangle}=0,\quad a^{\langle 0\rangle}=0\quad\longrightarrow\quad\hat{y}^{\langle 1\rangle}",
    r"x_1=0,\quad h_0=0\quad\longrightarrow\quad\hat{y}_1",
)
SEGMENT = Equation(r"\sum_{j<k}\hat{y}_j\;\le\;u\;<\;\sum_{j\le k}\hat{y}_j\quad\longrightarrow\quad\text{word }k")
FEED = Equation(
    r"x^{\langle t+1\rangle}=\text{one-hot of the word drawn from }\hat{y}^{\langle t\rangle}",
    r"x_{t+1}=\text{one-hot of the word drawn from }\hat{y}_t",
)
WARM = Equation(r"\hat{y}_k=\frac{e^{z_k/\tau}}{\sum_j e^{z_j/\tau}},\qquad\frac{\hat{y}_i}{\hat{y}_j}=\left(e^{z_i-z_j}\right)^{1/\tau}")
BEST: Written = (WORDS.index("cats"), WORDS.index("sleep"), END)
MANY, SOME = 10_000, 1000


class Sampling(Lesson):
    order = 4
    title = "Sampling"
    claim = "A model writes by drawing words, one after the other"
    goal = "draw a sentence from uniform numbers by hand and say what temperature does"
    plays: ClassVar = (Draw, Frequencies)
    dispels = "Sampling picks the likeliest word."
    notes = "Sampling novel sequences"
    code = ("gradviz.language.sampling", "gradviz.language.choice")
    sources: ClassVar = (
        Source(
            "Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks",
            "https://karpathy.github.io/2015/05/21/rnn-effectiveness/",
        ),
    )
    view = "text"
    screens: ClassVar = (
        Screen(
            "A language model can write. It starts with nothing: {x_1} = 0 and {h_0} = 0 give {y_hat_1}, the probabilities of a first "
            "word. This is the toy of the lesson before.",
            START,
            0,
        ),
        Screen(
            "Lay the probabilities end to end from 0 to 1, draw a uniform number $u$, and take the word whose share it hits. `numpy`’s "
            "`choice` does just this. A likely word has a wide share, and an unlikely one still has a share.",
            SEGMENT,
            0,
            {"seed": 1},
        ),
        Screen(
            "`default_rng(0)` draws $u$ = {u:.4f} first. “cats” is likelier, but its share ends at {low:.4f}; “sleep” goes from there to "
            "{high:.4f}, and is hit.",
            SEGMENT,
            0,
        ),
        Screen(
            "Then the word that was **drawn** is read, one-hot, together with the state {h_1}; not the probabilities {y_hat_1}. So the "
            "next word knows what stands there, and its shares are other ones.",
            FEED,
            0,
            {"word": 2},
        ),
        Screen(
            "So it goes until EOS is drawn, or a limit is reached. With $u$ = 0.5 throughout it would be “{half}”. Here seed 0 ends its "
            "sentence: “{zero}”.",
            FEED,
            0,
            {"word": 3},
        ),
        Screen(
            "Draw 10 000 sentences, seed 0: “cats sleep EOS” comes {times:,} times. Its probability is {best:.4f}, so {expected:,.0f} were "
            "expected, give or take {spread:.0f}.",
            None,
            1,
            {"draws": "10000"},
        ),
        Screen(
            "**Temperature** τ divides the logits: all odds are raised to 1/τ. “cats” against “sleep” stands {odds_1:.2f} : 1 at τ = 1, "
            "{odds_half:.2f} at 0.5 and {odds_2:.2f} at 2. As τ → 0 only the likeliest word is left (argmax).",
            WARM,
            0,
            {"temperature": 0.5},
        ),
    )
    questions: ClassVar = (
        Question(
            "“cats sleep EOS” is the likeliest sentence of all. How often will it come in 1000 draws?",
            (
                Choice(
                    "1000 times: it is the likeliest",
                    lambda facts: facts["in_1000"] > 900,
                    "That is what argmax would do. Sampling gives every sentence its share.",
                ),
                Choice(
                    "{in_1000:.0f}, exactly",
                    lambda facts: facts["error_1000"] < 1,
                    "Expected are so many; each set of draws differs by chance, like tosses of a coin.",
                ),
                Choice(
                    "{in_1000:.0f}, give or take {error_1000:.0f}",
                    lambda facts: facts["in_1000"] <= 900 and facts["error_1000"] >= 1,
                    "$nP$, with the standard error $\\sqrt{{nP(1-P)}}$; two of them hold about 95 % of all tries.",
                ),
            ),
            "1000 × {best:.4f} = {in_1000:.0f}, and the standard error is {error_1000:.0f}.",
            1,
            {"draws": "10"},
            {"draws": "1000"},
        ),
        Question(
            "At τ = 1 its probability is {best:.4f}. What does τ = 0.5 make of it?",
            (
                Choice(
                    "about a quarter",
                    lambda facts: facts["cold"] < facts["best"],
                    "A lower temperature sharpens: it gives the likely more, not less.",
                ),
                Choice(
                    "about 0.83",
                    lambda facts: facts["best"] < facts["cold"] < 0.9,
                    "Each of its three factors is the largest of its step, and each grows.",
                ),
                Choice(
                    "twice as much, 0.93",
                    lambda facts: facts["cold"] >= 0.9,
                    "Logits are doubled, not probabilities, and each step is made to sum to 1 again.",
                ),
            ),
            "{cold:.3f}; at τ = 2 it is {warm:.3f}.",
            1,
            {"temperature": 1.0},
            {"temperature": 0.5},
        ),
    )

    def facts(self) -> Facts:
        first, needles = after(()), _sampling.draws(0, 6)
        high = np.cumsum(first)
        best, cold, warm = (_probability(temperature) for temperature in (1.0, 0.5, 2.0))
        odds = {name: after((), tau)[0] / after((), tau)[1] for name, tau in (("odds_1", 1.0), ("odds_half", 0.5), ("odds_2", 2.0))}
        return {
            "u": float(needles[0]),
            "low": float(high[0]),
            "high": float(high[1]),
            "half": spoken(_sampling.spelled_out(np.full(_sampling.LIMIT, 0.5))),
            "zero": spoken(_sampling.spelled_out(needles)),
            "times": _sampling.counted(MANY, 1.0, 0)[BEST],
            "best": best,
            "expected": MANY * best,
            "spread": float(np.sqrt(MANY * best * (1 - best))),
            "in_1000": SOME * best,
            "error_1000": float(np.sqrt(SOME * best * (1 - best))),
            "cold": cold,
            "warm": warm,
            **{name: float(value) for name, value in odds.items()},
        }


def _probability(temperature: float) -> float:
    """Of the sentence BEST."""
    prefixes, chances = sentences(len(BEST), temperature)[-1]
    return float(chances[prefixes.tolist().index(list(BEST[:-1]))])
