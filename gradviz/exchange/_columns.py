"""Which column of a log is what: said by whoever knows, or guessed from the names that training programs give."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradviz.errors import GradvizError, unknown
from gradviz.exchange._text import Table, shown

ROLES: dict[str, tuple[str, ...]] = {
    "step": ("step", "global_step", "trainer/global_step", "train/global_step", "_step", "steps", "iteration", "iter", "update"),
    "loss": ("loss", "train_loss", "train/loss", "training_loss", "training/loss", "loss_step", "train_loss_step", "train/loss_step"),
    "held_out": ("val_loss", "val/loss", "valid_loss", "valid/loss", "validation_loss", "eval_loss", "eval/loss", "held_out_loss"),
    "norm_before": (
        "grad_norm", "gradient_norm", "norm_before", "grad_norm_before", "gradient_norm_before", "train/grad_norm", "train_grad_norm",
        "train/gradient_norm", "total_norm", "total_grad_norm", "global_norm", "global_grad_norm", "grad_norm_total", "gnorm",
        "grad_2.0_norm_total", "grad_norm/total",
    ),
    "norm_after": (
        "norm_after", "grad_norm_after", "gradient_norm_after", "grad_norm_clipped", "clipped_grad_norm", "grad_norm_after_clip",
        "grad_norm_after_clipping", "train/grad_norm_clipped", "train/grad_norm_after",
    ),
    "threshold": ("threshold", "clip_threshold", "max_norm", "max_grad_norm", "clip_norm", "gradient_clip_val", "clip_grad_norm"),
    "rate": ("lr", "learning_rate", "rate", "train/learning_rate", "train/lr", "lr-adam", "lr-adamw", "lr-sgd", "lr-rmsprop"),
    "seconds": ("seconds", "_runtime", "elapsed", "elapsed_seconds", "train_seconds"),
}  # fmt: skip
LAGS: dict[str, tuple[str, ...]] = {
    "step": ROLES["step"],
    "lag": ("lag", "steps_back"),
    "norm": ("norm", "grad_norm", "gradient_norm"),
}
PARAMETER = re.compile(r"(?:train/)?(?:grad(?:ient)?s?(?:_[\d.]+|_inf)?_norms?)[/:.](?P<name>.+)", re.IGNORECASE)
EXTREMES = ("__MIN", "__MAX")  # of Weights & Biases, beside each value


@dataclass(frozen=True)
class Chosen:
    """roles: the number of the column of each; parameters: of each parameter's norm, by its name; ignored: columns with no role."""

    roles: dict[str, int]
    parameters: dict[str, int]
    ignored: tuple[str, ...]


def choose(table: Table, asked: Mapping[str, Any], roles: Mapping[str, Sequence[str]] = ROLES) -> Chosen:
    """asked: role → name of a column, or None for no column; "parameters" → a list of names, or a dict from column to parameter."""
    for role in asked:
        if role not in roles and role != "parameters":
            raise unknown("role of a column", role, [*roles, "parameters"])
    found = {role: _column(table, asked[role], role) if role in asked else _guess(table, role, names) for role, names in roles.items()}
    taken = {role: place for role, place in found.items() if place is not None}
    if doubled := [role for role, place in taken.items() if list(taken.values()).count(place) > 1]:
        raise GradvizError(
            f"{table.name}: column {table.header[taken[doubled[0]]]!r} is said to be {' and '.join(doubled)}; it is one of them."
        )
    parameters = _parameters(table, asked, set(taken.values())) if roles is ROLES else {}
    used = {*taken.values(), *parameters.values()}
    return Chosen(taken, parameters, tuple(name for place, name in enumerate(table.header) if place not in used))


def lacking(table: Table, role: str, what: str) -> GradvizError:
    example = f'columns={{"{role}": "NAME"}}, on the command line --column {role}=NAME'
    return GradvizError(
        f"{table.name} has no column that is known to hold {what}. Its columns: {shown(table.header)}. Say which: {example}."
    )


def _column(table: Table, name: Any, role: str) -> int | None:
    if name is None:
        return None
    if name not in table.header:
        raise GradvizError(f"{table.name} has no column {str(name)!r}, named for {role}. Its columns: {shown(table.header)}.")
    return table.header.index(name)


def _guess(table: Table, role: str, names: Sequence[str]) -> int | None:
    fitting = [place for place, name in enumerate(table.header) if _bare(name) in names]
    if len(fitting) > 1:
        said = shown([table.header[place] for place in fitting])
        raise GradvizError(f'{table.name}: columns {said} could all be the {role}. Say which: columns={{"{role}": "NAME"}}.')
    return fitting[0] if fitting else None


def _bare(name: str) -> str:
    """Small letters, without the name of a run before it: "my-run - train/loss" is what Weights & Biases exports."""
    return "" if name.endswith(EXTREMES) else re.sub(r"\s+", "_", name.rpartition(" - ")[2].strip().lower())


def _parameters(table: Table, asked: Mapping[str, Any], taken: set[int]) -> dict[str, int]:
    if "parameters" in asked:
        said = asked["parameters"] or {}
        said = said if isinstance(said, Mapping) else {name: _parameter(str(name)) or str(name) for name in said}
        found = [(str(called), _column(table, name, "a parameter")) for name, called in said.items()]
    else:
        names = [name.rpartition(" - ")[2] for name in table.header]
        found = [(_parameter(name), place) for place, name in enumerate(names) if place not in taken and not name.endswith(EXTREMES)]
    return {name: place for name, place in found if name and place is not None}


def _parameter(column: str) -> str:
    """fc.weight of grad_2.0_norm/fc.weight; nothing if it is no such name."""
    match = PARAMETER.fullmatch(column)
    return match["name"] if match else ""
