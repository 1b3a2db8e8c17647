"""The modes of a Jacobian: along which directions a small deviation grows, fades or turns, and how fast."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import NonFiniteError, ShapeError

MARGIN = 1e-9  # an |λ| this near to 1 neither grows nor fades
DEFECTIVE = 1e12  # condition of the eigenvectors beyond which there is no basis of them


@dataclass(frozen=True)
class Modes:
    """values: (n,) eigenvalues, complex, the largest first; right: (n, n) a column a mode, the direction it moves along; left: (n, n) a row
    a mode, what it reads of a deviation, with left @ right = 1; NaN where the Jacobian is defective and has no basis of modes."""

    values: Array
    right: Array
    left: Array

    @property
    def sizes(self) -> Array:
        """(n,) |λ|: the factor per step."""
        return np.abs(self.values)

    @property
    def time_constants(self) -> Array:
        """(n,) −1/ln|λ| in steps: after so many a fading mode is left with 1/e. Negative where it grows, infinite where |λ| is 1."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.sizes)
            return np.where(logs == 0, np.inf, -1 / logs)

    @property
    def angles(self) -> Array:
        """(n,) by how much a mode turns per step, radians from −π to π; π flips its sign at every step."""
        return np.angle(self.values)

    @property
    def unstable(self) -> int:
        """How many modes grow."""
        return int((self.sizes > 1 + MARGIN).sum())

    @property
    def stability(self) -> str:
        """ "stable", "marginal" (none grows, one does not fade), "saddle" or "unstable" (all grow)."""
        if self.unstable:
            return "unstable" if self.unstable == len(self.values) else "saddle"
        return "marginal" if (self.sizes >= 1 - MARGIN).any() else "stable"


def modes(jacobian: Array) -> Modes:
    """Of a square matrix of finite numbers."""
    if jacobian.ndim != 2 or jacobian.shape[0] != jacobian.shape[1]:
        raise ShapeError(f"a matrix of shape {jacobian.shape} has no modes; it must be square.")
    if not np.isfinite(jacobian).all():
        raise NonFiniteError("the Jacobian holds NaN or infinity; it has no modes.")
    values, right = np.linalg.eig(jacobian)
    order = np.lexsort((-values.imag, -values.real, -np.abs(values)))
    values, right = values[order].astype(complex), right[:, order].astype(complex)
    defective = np.linalg.cond(right) > DEFECTIVE
    return Modes(values, right, np.full_like(right, np.nan) if defective else np.linalg.inv(right))
