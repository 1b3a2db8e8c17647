"""The words of a lesson: text with computed numbers and with symbols in the notation that the reader chose."""

import math
import string
from dataclasses import dataclass
from typing import Any, Literal

from gradviz.wording import THIN, number, power

Notation = Literal["notes", "field"]
NOTATIONS: dict[Notation, str] = {"notes": "course notes", "field": "the field"}

SYMBOLS: dict[Notation, dict[str, str]] = {
    "notes": {
        "x_it": r"$x^{(i)\langle t\rangle}$",
        "x_23": r"$x^{(2)\langle 3\rangle}$",
        "y_it": r"$y^{(i)\langle t\rangle}$",
        "T_x": "$T_x^{(i)}$",
        "T_y": "$T_y^{(i)}$",
        "h": "$a$",
        "h_t": r"$a^{\langle t\rangle}$",
        "h_prev": r"$a^{\langle t-1\rangle}$",
        "h_0": r"$a^{\langle 0\rangle}$",
        "h_1": r"$a^{\langle 1\rangle}$",
        "h_T": r"$a^{\langle T\rangle}$",
        "forward_t": r"$\overrightarrow{a}^{\langle t\rangle}$",
        "backward_t": r"$\overleftarrow{a}^{\langle t\rangle}$",
        "backward_1": r"$\overleftarrow{a}^{\langle 1\rangle}$",
        "c_t": r"$c^{\langle t\rangle}$",
        "c_prev": r"$c^{\langle t-1\rangle}$",
        "candidate": r"$\tilde{c}^{\langle t\rangle}$",
        "x_t": r"$x^{\langle t\rangle}$",
        "x_1": r"$x^{\langle 1\rangle}$",
        "y_t": r"$y^{\langle t\rangle}$",
        "y_prev": r"$y^{\langle t-1\rangle}$",
        "y_hat": r"$\hat{y}^{\langle t\rangle}$",
        "y_hat_1": r"$\hat{y}^{\langle 1\rangle}$",
        "W_hh": "$W_{aa}$",
        "W_hy": "$W_{ya}$",
        "b_y": "$b_y$",
        "update": r"$\Gamma_u$",
        "reset": r"$\Gamma_r$",
        "forget": r"$\Gamma_f$",
        "input": r"$\Gamma_u$",
        "output": r"$\Gamma_o$",
        "memory": r"$c^{\langle t\rangle}$",
        "memory_prev": r"$c^{\langle t-1\rangle}$",
        "proposal": r"$\tilde{c}^{\langle t\rangle}$",
        "new": r"$\Gamma_u$",
        "kept": r"$1-\Gamma_u$",
    },
    "field": {
        "x_it": "$x_t^{(i)}$",
        "x_23": "$x_3^{(2)}$",
        "y_it": "$y_t^{(i)}$",
        "T_x": "$T_{x,i}$",
        "T_y": "$T_{y,i}$",
        "h": "$h$",
        "h_t": "$h_t$",
        "h_prev": "$h_{t-1}$",
        "h_0": "$h_0$",
        "h_1": "$h_1$",
        "h_T": "$h_T$",
        "forward_t": r"$\overrightarrow{h}_t$",
        "backward_t": r"$\overleftarrow{h}_t$",
        "backward_1": r"$\overleftarrow{h}_1$",
        "c_t": "$c_t$",
        "c_prev": "$c_{t-1}$",
        "candidate": "$g_t$",
        "x_t": "$x_t$",
        "x_1": "$x_1$",
        "y_t": "$y_t$",
        "y_prev": "$y_{t-1}$",
        "y_hat": r"$\hat{y}_t$",
        "y_hat_1": r"$\hat{y}_1$",
        "W_hh": "$W_{hh}$",
        "W_hy": "$W_{hy}$",
        "b_y": "$b_y$",
        "update": "$z_t$",
        "reset": "$r_t$",
        "forget": "$f_t$",
        "input": "$i_t$",
        "output": "$o_t$",
        "memory": "$h_t$",
        "memory_prev": "$h_{t-1}$",
        "proposal": "$n_t$",
        "new": "$1-z_t$",
        "kept": "$z_t$",
    },
}


@dataclass(frozen=True)
class Equation:
    """The same in LaTeX in both notations: that of the course notes, and the field's. One of them alone serves for both."""

    notes: str
    field: str = ""

    def latex(self, notation: Notation) -> str:
        return self.field if self.field and notation == "field" else self.notes


def spelled(value: float) -> str:
    """At most three significant digits below 1000: 0.9, 0.00573, 46, 107, 18 636, 6.74 × 10⁻⁵."""
    size = abs(value)
    if not math.isfinite(value) or size == 0 or (size == round(size) and size < 1e6):
        return number(value) if not math.isfinite(value) else f"{value:,.0f}".replace(",", THIN).replace("-", "−")
    if 1e-4 <= size < 1e6:
        if float(f"{value:.3g}") == value:
            return f"{value:.3g}".replace("-", "−")
        places = max(2 - math.floor(math.log10(size)), 0)
        return f"{value:,.{places}f}".replace(",", THIN).replace("-", "−")
    mantissa, exponent = f"{value:.2e}".replace("-", "−", 1 if value < 0 else 0).split("e")
    return f"{mantissa}{THIN}×{THIN}{power(int(exponent))}"


class _Filled(string.Formatter):
    """`{name}` of a number is written with three digits; a format, as in `{name:.2f}`, decides otherwise."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, float) and not format_spec:
            return spelled(value)
        text = format(value, format_spec)
        return text.replace("-", "−").replace(",", THIN) if isinstance(value, int | float) else text

    def check_unused_args(self, used_args: Any, args: Any, kwargs: Any) -> None:
        """Facts that no sentence tells are no mistake."""


def filled(text: str, facts: dict[str, Any], notation: Notation) -> str:
    """`text`, Markdown with `$…$` for LaTeX, with `{…}` replaced by facts and symbols."""
    return _Filled().vformat(text, (), {**SYMBOLS[notation], **facts})
