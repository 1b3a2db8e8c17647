"""How well a run predicts what it was not trained on, in words."""

from typing import TYPE_CHECKING

from gradviz.bits import WORD, bits, perplexity
from gradviz.wording import THIN, number

if TYPE_CHECKING:
    from gradviz.frames import Run


def scores(run: "Run") -> list[str]:
    """One line each: the lowest held-out loss of a text, the test loss if there is one, and whether training stopped early."""
    lines = []
    if run.token and run.best is not None:
        step, loss = run.best
        lines.append(f"lowest held-out loss {_said(run, loss)}, after {step} updates")
    if run.test:
        lines.append(f"test loss {_said(run, run.test['loss'])}, of the weights after {run.test['step']:.0f} updates")
    if run.stopped_early is not None:
        lines.append(f"stopped after {run.stopped_early} updates: the held-out loss fell no more")
    return [line.replace(THIN, " ") for line in lines]


def _said(run: "Run", loss: float) -> str:
    """1.86, in a text also in bits and as perplexity."""
    if not run.token:
        return number(loss, 3)
    named = WORD.get(run.token, "bits")
    return f"{number(loss, 3)} nats = {number(bits(loss), 3)} {named}, perplexity {number(perplexity(loss), 3)}"
