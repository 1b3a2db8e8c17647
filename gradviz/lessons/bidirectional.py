"""Lesson 10: bidirectional networks."""

from typing import ClassVar

from gradviz.lessons import _bidirectional
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._bidirectional import BEARS, ROOSEVELT, TEDDY, Arriving, Influence
from gradviz.lessons._words import Equation

OUTPUT = Equation(
    r"\hat{y}^{\langle t\rangle}=g\left(W_y\left[\overrightarrow{a}^{\langle t\rangle},\overleftarrow{a}^{\langle "
    r"t\rangle}\right]+b_y\right)",
    r"\hat{y}_t=g\left(W_{hy}\left[\overrightarrow{h}_t;\overleftarrow{h}_t\right]+b_y\right)",
)
INFLUENCE = Equation(
    r"\frac{\partial\hat{y}^{\langle t\rangle}}{\partial x^{\langle s\rangle}}=w^{\,t-s}\text{ forward, if }s\le t;\qquad "
    r"w^{\,s-t}\text{ backward, if }s\ge t",
    r"\frac{\partial\hat{y}_t}{\partial x_s}=w^{\,t-s}\text{ forward, if }s\le t;\qquad w^{\,s-t}\text{ backward, if }s\ge t",
)
ENDS = Equation(
    r"\frac{\partial\hat{y}}{\partial x^{\langle s\rangle}}=w^{\,T-s}+w^{\,s-1}",
    r"\frac{\partial\hat{y}}{\partial x_s}=w^{\,T-s}+w^{\,s-1}",
)
LEAK = Equation(
    r"x^{\langle t+1\rangle}=y^{\langle t\rangle}\quad\longrightarrow\quad\overleftarrow{a}^{\langle t\rangle}\text{ has read }y^{\langle "
    r"t\rangle}",
    r"x_{t+1}=y_t\quad\longrightarrow\quad\overleftarrow{h}_t\text{ has read }y_t",
)
LONG = 21


class Bidirectional(Lesson):
    order = 10
    title = "Bidirectional"
    claim = "A second reader, from the end, tells every step what comes later"
    goal = "read which output feels which word, and say when reading ahead is forbidden"
    plays: ClassVar = (Influence, Arriving)
    dispels = "Both directions are always better."
    notes = "Bidirectional RNN"
    code = ("gradviz.network", "gradviz.stack", "gradviz.unroll")
    sources: ClassVar = (Source("Schuster and Paliwal 1997, Bidirectional recurrent neural networks", "https://doi.org/10.1109/78.650093"),)
    view = "gradient_flow"
    screens: ClassVar = (
        Screen(
            "“He said Teddy bears are on sale”, “he said Teddy Roosevelt was a president”: is Teddy a person? At that word a network that "
            "reads forward has seen the same in both, and says {forward:.3f} in both.",
            None,
            1,
            {"read": 3},
        ),
        Screen(
            "So let a second layer read from the end. {forward_t} knows all words up to $t$, {backward_t} all from $t$ on, and the output "
            "reads both. Now Teddy is a person with {bears:.2f} before bears, {roosevelt:.2f} before Roosevelt.",
            OUTPUT,
            1,
            {"sentence": ROOSEVELT, "read": 7},
        ),
        Screen(
            "Which output feels which word? Of 8 × 8 influences {one_way} are not zero in a forward network: word $s$ reaches the outputs "
            "$t \\ge s$. In both directions all {both_ways} are filled. Switch and look.",
            INFLUENCE,
            0,
            {"direction": "forward"},
        ),
        Screen(
            "For one verdict on a sentence, read the final state of each direction, {h_T} and {backward_1}. With $w$ = 0.9 and 21 words, "
            "word 1 weighs {edge:.3f}, word 11 only {middle:.3f}: it is far from both ends.",
            ENDS,
            0,
            {"steps": 21},
        ),
        Screen(
            "In a padded batch the second reader must start at the sequence’s own end. One unit, $w$ = 1.5, $b$ = 0.5, three inputs −1: "
            "{backward_1} = {own_end:.3f}. Started in five steps of padding behind them it would be {padding:.3f}, of the other sign.",
        ),
        Screen(
            "The price: no output is final before the **whole** sentence is there. For speech that is transcribed while it is spoken, that "
            "is too late; for a text on the page it costs nothing but time.",
            None,
            1,
            {"read": 5},
        ),
        Screen(
            "And never for a language model: {backward_t} has read the very word to predict. One that copies it scores {leak:.5f} nats on "
            "four words drawn evenly, where {honest:.3f} is the best possible. It has learned nothing.",
            LEAK,
        ),
    )
    questions: ClassVar = (
        Question(
            "A network reads forward only. Can its output at “Teddy” differ between the two sentences?",
            (
                Choice(
                    "yes, if it has learned enough",
                    lambda facts: facts["apart"] > 0.01,
                    "Learning changes what it makes of the words, but the words it has read are the same.",
                ),
                Choice(
                    "yes, but very little",
                    lambda facts: 0 < facts["apart"] <= 0.01,
                    "Not even a little: nothing on its way to this output differs.",
                ),
                Choice(
                    "no, not in the last bit",
                    lambda facts: facts["apart"] == 0,
                    "The same weights compute the same from the same words.",
                ),
            ),
            "The difference is {apart:.0f}. In both directions it is {both_apart:.2f}.",
            1,
            {"sentence": BEARS, "read": 3},
            {"sentence": ROOSEVELT, "read": 7},
        ),
        Question(
            "21 words, $w$ = 0.9, one verdict read from the final states of **both** directions. Which word weighs least?",
            (
                Choice(
                    "the first",
                    lambda facts: facts["least"] == 1,
                    "So it is in a forward network; but the second reader ends at the first word and has just read it.",
                ),
                Choice(
                    "the one in the middle",
                    lambda facts: 1 < facts["least"] < LONG,
                    "Both readers met it ten steps before they came to their end.",
                ),
                Choice("the last", lambda facts: facts["least"] == LONG, "It is the freshest of all to the forward reader."),
            ),
            "Word {least}, with {middle:.3f}; the first and the last weigh {edge:.3f}.",
            0,
            {"direction": "forward", "steps": 21},
            {"steps": 21},
        ),
    )

    def facts(self) -> Facts:
        teddy = {
            (way, sentence): float(_bidirectional.person(way, sentence, 7)[TEDDY])
            for way in ("forward", "both")
            for sentence in (BEARS, ROOSEVELT)
        }
        final, losses = _bidirectional.on_final("both", 0.9, LONG), _bidirectional.copied()
        return {
            "forward": teddy["forward", BEARS],
            "bears": teddy["both", BEARS],
            "roosevelt": teddy["both", ROOSEVELT],
            "apart": abs(teddy["forward", BEARS] - teddy["forward", ROOSEVELT]),
            "both_apart": abs(teddy["both", BEARS] - teddy["both", ROOSEVELT]),
            "one_way": int((_bidirectional.influence("forward", 0.9, 8) != 0).sum()),
            "both_ways": int((_bidirectional.influence("both", 0.9, 8) != 0).sum()),
            "edge": float(final[0]),
            "middle": float(final[LONG // 2]),
            "least": _bidirectional.lightest(final)[0],
            "own_end": _bidirectional.read_first(3),
            "padding": _bidirectional.read_first(None),
            "leak": float(losses[:-1].mean()),
            "honest": float(losses[-1]),  # the last word is copied from nowhere: all logits are 0
        }
