"""What run.json says of a watched model: the same entries as of a training in gradviz, as far as PyTorch tells them."""

from collections.abc import Sequence
from typing import Any

from gradviz.cells import CELLS
from gradviz.config import WATCHED
from gradviz.options import to_dict
from gradviz.watching.modules import Part
from gradviz.watching.replay import Replay
from gradviz.watching.rows import Named


def described(model: Any, parts: Sequence[Part], names: dict[str, Named], every: int, lag: int | None) -> dict[str, Any]:
    """Of the model, before anything is recorded."""
    first = parts[0] if parts else None
    cell = {"name": CELLS.name_of(first.cell), **to_dict(first.cell)} if first else {"name": "none"}
    directions = {part.directions for part in parts}
    experiment = {
        "task": {"name": WATCHED, "model": type(model).__name__},
        "model": {
            "cell": cell,
            "units": first.units if first else 0,
            "layers": sum(part.layers for part in parts),
            "direction": "both" if any(len(ways) > 1 for ways in directions) else "forward",
            "biases": bool(first.module.bias) if first else True,
            "dropout": max((float(getattr(part.module, "dropout", 0.0)) for part in parts), default=0.0),
        },
        "training": {"updates": 0, "optimizer": {"name": "unknown"}, "clipping": {"name": "none"}},
        "recording": {"every": every},
        "name": "",
    }
    return {
        "experiment": experiment,
        "family": first.cell.family if first else "other",
        "signature": {},
        "facts": {},
        "token": "",
        "baselines": {},
        "lag": lag,
        "parts": [[part.name, part.layers] for part in parts] if len(parts) > 1 else [["", part.layers] for part in parts],
        "points": [],
        "parameters": int(sum(parameter.numel() for parameter in model.parameters())),
        "probe": {"lengths": [], "words": []},
        "watched": {
            "model": type(model).__name__,
            "modules": {
                part.name: {"kind": type(part.module).__name__, "first_layer": part.first, "layers": part.layers} for part in parts
            },
            "roles": {named.name: named.role for named in names.values()},
            "replay": {},
        },
    }


def points(replays: Sequence[Replay]) -> list[list[str]]:
    """Hook points, as the tables name them."""
    every = [(replay.part, point) for replay in replays for point in replay.network.hook_points()]
    return [[part.shifted(point.name), point.shape, point.meaning] for part, point in every if point.name.startswith("layers.")]
