"""The Lyapunov spectrum: by how much each direction of the state space is stretched per step, in the long run.

Benettin's method (Benettin et al. 1980; for recurrent networks Vogt et al. 2022 and Engelken et al. 2023): Q R = J_t Q at every step, and
λ_i is the mean of ln |R_ii|. Natural logarithms per step throughout.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError

SETTLED = 0.02  # nats per step: by how much the largest exponent may differ between the two halves of the steps


@dataclass(frozen=True)
class Spectrum:
    """exponents: (state,) natural log per step, the largest first; trace: (renormalisations, state), the running means, where convergence
    can be seen; steps: that count, after the warm-up; drift: how far the largest exponent of the second half lies from the first's."""

    exponents: Array
    trace: Array
    steps: int
    drift: float

    @property
    def converged(self) -> bool:
        return bool(self.drift <= SETTLED)

    @property
    def entropy(self) -> float:
        """Entropy rate, the sum of the positive exponents (Pesin), nats per step; NaN where one is no number."""
        return float("nan") if np.isnan(self.exponents).any() else float(self.exponents[self.exponents > 0].sum())

    @property
    def dimension(self) -> float:
        """Kaplan–Yorke dimension: k + (λ_1 + … + λ_k)/|λ_{k+1}|, k the most exponents whose sum is not negative; all of them if that never
        happens, 0 if even the largest is negative."""
        sums = np.cumsum(self.exponents)
        if not np.isfinite(self.exponents[0]) or sums[0] < 0:
            return 0.0 if self.exponents[0] < 0 else float("nan")
        k = int(np.flatnonzero(sums >= 0)[-1]) + 1
        return float(k) if k == len(sums) else k + float(sums[k - 1] / abs(self.exponents[k]))

    @property
    def predictable(self) -> float:
        """Steps after which a small error has doubled, ln 2/λ_1; infinite without a positive exponent (Mikhaeil et al. 2022, eq. 17)."""
        if np.isnan(self.exponents[0]):
            return float("nan")
        return float(np.log(2) / self.exponents[0]) if self.exponents[0] > 0 else float("inf")

    @property
    def said(self) -> str:
        """What to say of the convergence."""
        if self.converged:
            return f"settled: the largest exponent drifts by {self.drift:.3g} over {self.steps} steps."
        if np.isnan(self.drift):
            return "no spectrum: the Jacobians, or their products, hold NaN or infinity."
        return f"not converged: the largest exponent drifts by {self.drift:.3g} per step, more than {SETTLED}; use a longer sequence."


def spectrum(pieces: Iterable[Array], *, warm_up: int = 0, every: int = 1, count: int = 0, seed: int = 0) -> Spectrum:
    """The spectrum along a sequence of Jacobians, in pieces (time, state, state) such as `jacobians.in_pieces` gives them.

    warm_up: steps that turn Q and are not counted; every: steps between two orthonormalisations, few enough that no direction is rounded
    away; count: how many exponents, the largest; 0 all. `seed` draws the first Q.
    """
    if every < 1 or warm_up < 0 or count < 0:
        raise GradvizError(f"every is {every}, warm_up {warm_up} and count {count}; they must be at least 1, 0 and 0.")
    q: Array | None = None
    logs: list[Array] = []
    done = counted = 0
    for piece in pieces:
        for jacobian in piece:
            q = _begin(jacobian.shape[1], count, seed) if q is None else q
            with np.errstate(all="ignore"):
                q = jacobian @ q
            done += 1
            if done % every and done != warm_up:
                continue
            q, r = np.linalg.qr(q)
            if done > warm_up:
                with np.errstate(divide="ignore"):
                    logs.append(np.log(np.abs(np.diagonal(r))))
                counted = done
    if len(logs) < 2:
        raise GradvizError(f"{done} steps with a warm-up of {warm_up} leave less than two of {every}: not enough data for a spectrum.")
    return _spectrum(np.array(logs), counted - warm_up)


def _begin(width: int, count: int, seed: int) -> Array:
    q: Array = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, count or width)))[0]
    return q


def _spectrum(logs: Array, steps: int) -> Spectrum:
    share = steps / len(logs)
    with np.errstate(invalid="ignore"):
        trace = np.cumsum(logs, axis=0) / (share * np.arange(1, len(logs) + 1))[:, None]
        order = np.argsort(-trace[-1])
        half, largest = len(logs) // 2, order[0]
        early, late = logs[:half, largest].mean(), logs[half:, largest].mean()
        drift = 0.0 if early == late else abs(early - late) / share  # −inf in both halves is settled
    return Spectrum(trace[-1][order], trace[:, order], steps, float(drift))
