"""How far a gradient reaches before anything is learned, by how a network begins (Arjovsky, Shah and Bengio 2016 and others)."""

import numpy as np

from gradviz.reproductions import _exact
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.reproductions._beginnings import (
    BATCH,
    SEEDS,
    STARTS,
    STEPS,
    UNITS,
    Found,
    follow,
    middle,
    of,
    profiles,
    ratios,
    said,
    small_weights,
)
from gradviz.wording import listed, number


class GradientProfiles(Reproduction):
    title = "How far the gradient reaches at the beginning"
    source = (
        "Arjovsky, Shah and Bengio 2016; Le, Jaitly and Hinton 2015; Jozefowicz, Zaremba and Sutskever 2015; Tallec and Ollivier 2018; "
        "Pascanu, Mikolov and Bengio 2013"
    )
    question = (
        "Before anything is learned, how much of the last step's gradient is left a hundred steps back? It depends on the recurrent matrix "
        "a network begins with, and in an LSTM on the bias of the forget gate."
    )
    minutes = 1

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        seeds, batch = (2, 4) if quick else (SEEDS, BATCH)
        tell(f"Following the gradient back through {len(STARTS) * seeds} networks that have learned nothing")
        found = {name: [follow(start, seed + k, batch) for k in range(seeds)] for name, start in STARTS.items()}
        statements = (
            *_exact.statements(seed, seeds),
            _identity(found, seed),
            _bounded(found),
            _unitary(found),
            _bias(found),
            _chrono(found),
        )
        return Outcome(_claim(found), statements, _settings(seeds, batch), (profiles(found), small_weights(found), ratios(found)))


# ---------------------------------------------------------------------- what it says


def _bounded(found: Found) -> Statement:
    names = [name for name in found if np.isfinite(found[name][0].bound)]
    above = max(profile.above for name in names for profile in found[name])
    return Statement(
        "One step back stretches the gradient of a tanh or relu network by at most γσ₁, the largest singular value of its recurrent "
        "matrix.",
        "Pascanu, Mikolov and Bengio 2013, section 2.1",
        f"The largest factor of any step of {len(names) * len(found['small'])} networks is {10**above:.6f} times this bound.",
        agrees(above <= 1e-9),
    )


def _identity(found: Found, seed: int) -> Statement:
    share = _exact.left_active(seed)
    return Statement(
        "With the identity as recurrent matrix of rectified linear units, the gradient stays constant on its way back.",
        "Le, Jaitly and Hinton 2015, introduction",
        f"Where all units are active, {number(share)} of it is left after {STEPS} steps; with input weights of either sign, of what was "
        f"there one step back, {of(found, 'identity')}.",
        agrees(abs(share - 1) < 1e-9),
        "It holds for units that are active: what has been switched off, here by a mark with a negative weight, passes nothing on.",
    )


def _unitary(found: Found) -> Statement:
    return Statement(
        "The gradient of a network with a unitary recurrent matrix decays most slowly.",
        "Arjovsky, Shah and Bengio 2016, figure on gradient norms (a picture without numbers)",
        f"Left {STEPS} steps back of what was there one step back: "
        f"{'; '.join(of(found, name) for name in ('orthogonal', 'glorot', 'small'))}.",
        "open",
        "Their network is complex, with a unit that keeps a state's phase; here tanh squashes, and a state that does not shrink is "
        "squashed the more. An orthogonal matrix alone does not keep the gradient of a tanh network.",
    )


def _bias(found: Found) -> Statement:
    gain = middle(found, "forget 1") - middle(found, "forget 0")
    return Statement(
        "Adding 1 to the bias of the LSTM's forget gate closes the gap between the LSTM and the GRU.",
        "Jozefowicz, Zaremba and Sutskever 2015, abstract",
        f"Left after {STEPS} steps: {of(found, 'forget 0')}; {of(found, 'forget 1')}. The bias of 1 makes it {said(gain)} times as large.",
        "open",
        "The statement is about what is learned, the measurement about what the gradient could teach before.",
    )


def _chrono(found: Found) -> Statement:
    gain = middle(found, "chrono") - middle(found, "forget 1")
    return Statement(
        "Chrono initialization greatly improves the learning of long-term dependencies.",
        "Tallec and Ollivier 2018, abstract",
        f"Left after {STEPS} steps: {of(found, 'chrono')}, {said(gain)} times as much as with forget bias 1; {of(found, 'forget 5')}.",
        "open",
        "The statement is about what is learned, the measurement about what the gradient could teach before.",
    )


def _claim(found: Found) -> str:
    parts = [f"{said(middle(found, name))} with {STARTS[name].words}" for name in ("forget 0", "forget 1", "chrono")]
    return f"Of an LSTM's gradient {STEPS} steps leave {listed(parts)}"


def _settings(seeds: int, batch: int) -> tuple[Setting, ...]:
    return (
        Setting("network", "–", f"{UNITS} units, one layer"),
        Setting("sequences", "–", f"adding problem, {STEPS} steps, {batch} a network"),
        Setting("recurrent matrix of the LSTM", "–", "orthogonal for each gate"),
        Setting("input weights", "–", "N(0, 0.3²)"),
        Setting(
            "followed", "gradient of the loss with respect to the hidden state", "the same; in the LSTM with respect to the cell state"
        ),
        Setting("networks for each beginning", "–", str(seeds)),
        Setting("precision", "–", "64 bits"),
    )
