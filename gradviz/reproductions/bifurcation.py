"""Where one unit comes to rest as its bias changes (Pascanu, Mikolov and Bengio 2013, figure 3, after Doya 1993)."""

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._description import Axis, Description, Line, Panel, Points, Rule
from gradviz.dynamics.bifurcation import Rests, ends, folds, rests
from gradviz.dynamics.one_unit import logistic
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.wording import number, percent

W, SPAN = 5.0, (-3.2, -1.8)
STARTS = (-6.0, 6.0)
BRANCHES = ("lower", "middle", "upper")


class Bifurcation(Reproduction):
    title = "Where a recurrent unit comes to rest, as its bias changes"
    source = "Pascanu, Mikolov and Bengio 2013, section 2.2 and figure 3; Doya 1993"
    question = (
        "A unit that feeds itself comes to rest somewhere. Does where it rests change smoothly with its bias, or are there values at "
        "which a hair's breadth sends it elsewhere, so that no gradient can be trusted?"
    )
    minutes = 0.1

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        tell("Following the rests over the bias")
        b = np.linspace(*SPAN, 141 if quick else 561)
        found = rests(W, b)
        reached = ends(W, b, np.array(STARTS), 2000 if quick else 20_000)
        (high, low), _ = folds(W)
        jump = _jump(high)
        return Outcome(
            f"With w = 5 the unit has two attractors between b = {_said(low)} and {_said(high)}, and at their edge its state jumps by "
            f"{number(jump)}",
            (_folds(), _two(found, reached), _crossing(jump), _flat(found)),
            _settings(),
            (_diagram(found, reached), _slopes(found)),
        )


def _folds() -> Statement:
    ends_at, _ = folds(W)
    x = np.linspace(-4, 4, 800_001)
    turns = x - W * logistic(x)  # the b of which each x is a rest: where it turns, rests appear in pairs
    error = float(np.abs(ends_at - [turns[x < 0].max(), turns[x > 0].min()]).max())
    return Statement(
        "There are two critical values of b, b₁ and b₂, at which the number of rests changes.",
        "figure 3 (a picture without numbers)",
        f"From w σ'(x) = 1: b = {_said(ends_at[0])} and {_said(ends_at[1])}. Tabulated over x they differ by {number(error)}.",
        agrees(error < 1e-8),
    )


def _two(found: Rests, reached: Array) -> Statement:
    stable = found.stable.sum(axis=0)
    (high, low), _ = folds(W)
    between = (found.b > low) & (found.b < high)
    apart = np.abs(reached[1] - reached[0]) > 0.1
    right = float(np.mean((stable == np.where(between, 2, 1)) & (apart == between)))
    return Statement(
        "Between them there are two attractors, and which one the state goes to depends on where it begins; outside there is one.",
        "section 2.2 and figure 3",
        f"At {percent(right)} of {len(found.b)} values of b the stable rests, and the ends of trajectories from −6 and 6, say so.",
        agrees(right > 0.98),
        "" if right == 1 else "The rest lie at the very folds, where a trajectory takes longer to decide than it was followed.",
    )


def _said(b: float) -> str:
    return f"{b:.4f}".replace("-", "−")


def _jump(fold: float) -> float:
    """By how much the lower rest moves when b passes its fold by a millionth."""
    before, after = rests(W, np.array([fold - 1e-6, fold + 1e-6])).states.T
    return float(after[2] - before[0])


def _crossing(jump: float) -> Statement:
    return Statement(
        "Crossing such a boundary by an arbitrarily small change of a parameter changes the state after many steps by a large amount.",
        "section 2.2",
        f"When b passes the upper fold by a millionth the state's rest jumps by {number(jump, 3)}.",
        agrees(jump > 1),
    )


def _flat(found: Rests) -> Statement:
    (high, low), _ = folds(W)
    inside = (found.b > low + 0.02) & (found.b < high - 0.02)
    steepest = float(np.nanmax(np.where(found.stable & inside, found.slopes, -np.inf)))
    return Statement(
        "At an attractor gradients vanish: a deviation is multiplied by less than one at every step.",
        "section 2.2",
        f"At all stable rests between the folds, 0.02 away from them, a step multiplies a deviation by at most {number(steepest, 3)}.",
        agrees(steepest < 1),
    )


def _settings() -> tuple[Setting, ...]:
    return (
        Setting("unit", "x_t = w σ(x_{t−1}) + b", "the same"),
        Setting("w", "5", "5"),
        Setting("b", "–", f"from {SPAN[0]} to {SPAN[1]}"),
        Setting("trajectories", "–", f"from {STARTS[0]:g} and {STARTS[1]:g}, until they rest"),
    )


# ---------------------------------------------------------------------- pictures


def _diagram(found: Rests, reached: Array) -> Description:
    lines = _lines(found, found.states)
    some = slice(None, None, max(1, len(found.b) // 36))
    dots = [
        Points(found.b[some], end[some], f"from {start:g}", "lstm" if start > 0 else "gru", "square" if start < 0 else "diamond")
        for start, end in zip(STARTS, reached, strict=True)
    ]
    edges = [Rule(float(b), "up", f"b = {_said(b)}", dashed=True) for b in folds(W)[0]]
    frame = pd.DataFrame({"b": found.b, **dict(zip(BRANCHES, found.states, strict=True))})
    frame = frame.assign(**{f"from {start:g}": end for start, end in zip(STARTS, reached, strict=True)})
    return Description(
        "bifurcation",
        "Between the two folds it depends on the beginning where the unit comes to rest",
        "Rests of x = 5 σ(x) + b: lines, the grey one unstable; marks: where trajectories from −6 (squares) and 6 (diamonds) end.",
        "Move b to the right along the lower line: at its end the state has to jump to the upper one. No derivative says so beforehand.",
        frame,
        (Panel((*lines, *edges, *dots), Axis("b"), Axis("x")),),
        columns=1,
        shape="line",
        source="Pascanu, Mikolov and Bengio 2013, figure 3",
    )


def _slopes(found: Rests) -> Description:
    lines = _lines(found, found.slopes)
    top = float(W * logistic(np.zeros(1))[0] ** 2)
    return Description(
        "bifurcation_slopes",
        f"A step multiplies a deviation by up to {number(top, 3)} at the unstable rest and by less than 1 at the stable ones",
        "w σ'(x) at each rest, the factor by which a step, and a step back, multiplies. Linear scales.",
        "Below 1 gradients vanish, above 1 they explode. Both meet at the folds, where the factor is 1.",
        pd.DataFrame({"b": found.b, **dict(zip(BRANCHES, found.slopes, strict=True))}),
        (Panel((*lines, Rule(1.0, label="neither grows nor fades")), Axis("b"), Axis("factor per step")),),
        columns=1,
        shape="line",
        source="Pascanu, Mikolov and Bengio 2013, section 2.1",
    )


def _lines(found: Rests, values: Array) -> list[Line]:
    """Each branch where it is, the unstable one grey."""
    lines = []
    for name, own in zip(BRANCHES, values, strict=True):
        there, unstable = np.isfinite(own), name == "middle"
        lines.append(Line(found.b[there], own[there], f"{name} rest", "ghost" if unstable else "rnn", unstable, label=name))
    return lines
