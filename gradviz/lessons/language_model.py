"""Lesson 3: what a language model says of a sentence."""

from typing import ClassVar

import numpy as np

from gradviz.lessons import _language_model
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._language_model import Lengths, Sentence
from gradviz.lessons._toy_language import PLAIN, after
from gradviz.lessons._words import Equation

READ = Equation(
    r"x^{\langle t\rangle}=y^{\langle t-1\rangle},\quad x^{\langle 1\rangle}=0,\quad a^{\langle 0\rangle}=0",
    r"x_t=y_{t-1},\quad x_1=0,\quad h_0=0",
)
FIRST = Equation(
    r"\hat{y}^{\langle 1\rangle}=\operatorname{softmax}(W_{ya}\,a^{\langle 1\rangle}+b_y)=\operatorname{softmax}(b_y)",
    r"\hat{y}_1=\operatorname{softmax}(W_{hy}\,h_1+b_y)=\operatorname{softmax}(b_y)",
)
NEXT = Equation(
    r"\hat{y}^{\langle t\rangle}=P\left(y^{\langle t\rangle}\mid y^{\langle 1\rangle},\dots,y^{\langle t-1\rangle}\right)",
    r"\hat{y}_t=P(y_t\mid y_1,\dots,y_{t-1})",
)
PRODUCT = Equation(
    r"P(y^{\langle 1\rangle},y^{\langle 2\rangle},y^{\langle 3\rangle})=P(y^{\langle 1\rangle})\,P(y^{\langle 2\rangle}\mid "
    r"y^{\langle 1\rangle})\,P(y^{\langle 3\rangle}\mid y^{\langle 1\rangle},y^{\langle 2\rangle})",
    r"P(y_1,y_2,y_3)=P(y_1)\,P(y_2\mid y_1)\,P(y_3\mid y_1,y_2)",
)
LOSS = Equation(
    r"\mathcal{L}=-\sum_{t=1}^{T}\log\hat{y}^{\langle t\rangle}_{y^{\langle t\rangle}},\qquad\text{perplexity}=e^{\mathcal{L}/T}",
    r"L=-\sum_{t=1}^{T}\log\hat{y}_{t,\,y_t},\qquad\text{perplexity}=e^{L/T}",
)
WHOLE = Equation(r"\sum_{\text{all sentences}}P(\text{sentence})=1")
FRESH = 10_000  # words


class LanguageModelling(Lesson):
    order = 3
    title = "Language model"
    claim = "The probability of a sentence is a product, one factor a word"
    goal = "turn a sentence into a product of probabilities, a loss and a perplexity"
    plays: ClassVar = (Sentence, Lengths)
    dispels = "A sentence scores the mean of its words’ probabilities."
    notes = "Language model and sequence generation"
    code = ("gradviz.language.sentence", "gradviz.text.vocabulary", "gradviz.losses")
    sources: ClassVar = (
        Source("Zhang et al., Dive into Deep Learning, 9.3 Language Models", "https://d2l.ai/chapter_recurrent-neural-networks/"),
    )
    view = "text"
    screens: ClassVar = (
        Screen(
            "A language model says what comes next. First, text falls into **tokens**: EOS ends every sentence, and a word that the model "
            "does not know becomes UNK. Ours knows “cats” and “sleep” only: “dogs sleep” is UNK, sleep, EOS.",
            None,
            0,
            {"sentence": "dogs sleep"},
        ),
        Screen(
            "At each step it reads the word before: {x_t} is {y_prev}. Before the first there is nothing, so {x_1} and {h_0} are zero. "
            "Each panel is what it expects then; the token that comes is coloured.",
            READ,
            0,
        ),
        Screen(
            "So the first prediction has read nothing: only the bias {b_y} speaks. Softmax turns its 1, 0, −1, −1 into cats "
            "{cats:.4f}, sleep {sleep:.4f}, UNK {unk:.4f}, EOS {eos:.4f}. Every sentence begins like this.",
            FIRST,
            0,
        ),
        Screen(
            "After “cats” it gives “sleep” {then_sleep:.4f}. After “cats sleep” it gives EOS {then_end:.4f}. The state carries **all** "
            "words so far: without that, as in the picture, EOS after “sleep” gets {without:.4f}, whatever stood before.",
            NEXT,
            0,
            {"history": False},
        ),
        Screen(
            "Their product is the probability of the sentence: {cats:.4f} × {then_sleep:.4f} × {then_end:.4f} = {product:.4f}. It is not "
            "the mean of the three, {mean:.3f}.",
            PRODUCT,
            0,
        ),
        Screen(
            "Logarithms make a sum of it: the loss, {loss:.4f} nats. Per token, and exp of that, it is the **perplexity**, "
            "{perplexity:.3f}: as hard as a guess among so many equally likely words.",
            LOSS,
            0,
        ),
        Screen(
            "Why EOS? It makes one distribution over **all** sentences, long and short: those of up to 3 tokens, EOS counted, hold "
            "{held:.4f}; all longer ones share the rest.",
            WHOLE,
            1,
        ),
    )
    questions: ClassVar = (
        Question(
            "“cats sleep” has the probability {product:.4f}. And “sleep cats”, the same words the other way round?",
            (
                Choice(
                    "the same, it has the same words",
                    lambda facts: facts["ratio"] < 1.05,
                    "A product does not mind the order of its factors; but other words before them make them other factors.",
                ),
                Choice(
                    "about a third of it",
                    lambda facts: 1.05 <= facts["ratio"] < 100,
                    "“sleep” begins a sentence that much more rarely; that is the first factor alone.",
                ),
                Choice(
                    "hundreds of times less",
                    lambda facts: facts["ratio"] >= 100,
                    "Every factor is conditional on what stands before it, and nearly nothing allows “cats” after “sleep”.",
                ),
            ),
            "{turned:.6f}: {ratio:.0f} times less.",
            0,
            {"sentence": PLAIN},
            {"sentence": "sleep cats"},
        ),
        Question(
            "A fresh model of 10 000 words has learned nothing yet. Which loss per token should its first batch show?",
            (
                Choice("about 0.69 nats", lambda facts: facts["fresh"] < 1, "ln 2: as if there were two words to guess from."),
                Choice(
                    "about 9.2 nats",
                    lambda facts: 1 <= facts["fresh"] < 100,
                    "Much more at the start: the logits are too large. Less: what should be predicted leaks into the input.",
                ),
                Choice("10 000 nats", lambda facts: facts["fresh"] >= 100, "That is its perplexity; the loss is the logarithm."),
            ),
            "It guesses evenly: ln 10 000 = {fresh:.2f} nats.",
        ),
    )

    def facts(self) -> Facts:
        it, first = _language_model.said(PLAIN), after(())
        factors, turned = _language_model.factors(PLAIN), _language_model.said("sleep cats")
        return {
            **{name: float(share) for name, share in zip(("cats", "sleep", "unk", "eos"), first, strict=True)},
            "then_sleep": float(factors[1]),
            "then_end": float(factors[2]),
            "without": float(_language_model.factors(PLAIN, history=False)[2]),
            "product": it.probability,
            "mean": float(np.mean(factors)),
            "loss": -it.log_probability,
            "perplexity": it.perplexity,
            "held": float(_language_model.masses()[:3].sum()),
            "turned": turned.probability,
            "ratio": it.probability / turned.probability,
            "fresh": _language_model.unknowing(FRESH),
        }
