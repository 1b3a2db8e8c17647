"""A network's weights as PyTorch's state_dict, and back, as plain arrays."""

import difflib
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Parameters
from gradviz.batch import Signature
from gradviz.bridges.guess import architecture_of, is_own, prefixes_of
from gradviz.bridges.layout import Prefixes, Shapes, check_one, ending, from_layout, to_layout, torch_shapes
from gradviz.cells import Cell
from gradviz.errors import GradvizError, ShapeError
from gradviz.network import Network

PLAIN = re.compile(r"((?:.*\.)?(?:weight|bias)_(?:ih|hh))")  # nn.LSTMCell's names


def to_torch(network: Network, prefixes: Prefixes | None = None) -> Parameters:
    """The parameters under PyTorch's names and in its layout: new arrays, for `module.load_state_dict` once they are tensors.

    prefixes: of the module's parts; `Prefixes(rnn="", readout=None)` makes the state_dict of nn.RNN, nn.GRU or nn.LSTM alone.
    """
    prefixes, parts, parameters = prefixes or Prefixes(), network.parts, network.parameters
    check_one(parts)
    out: Parameters = {}
    if parts.bottom.embedding and prefixes.embedding is not None:
        out[f"{prefixes.embedding}weight"] = parameters["embedding.weight"].copy()
    for layer, direction in parts.places:
        place = f"layers.{layer}.{direction}."
        own = {name.removeprefix(place): array for name, array in parameters.items() if name.startswith(place)}
        out |= {f"{prefixes.rnn}{kind}{ending(layer, direction)}": array for kind, array in to_layout(parts.model.cell, own).items()}
    if prefixes.readout is not None:
        out[f"{prefixes.readout}weight"] = network.readout.weight.T.copy()
        out[f"{prefixes.readout}bias"] = parameters["readout.bias"].copy()
    return out


def from_torch(
    arrays: Mapping[str, ArrayLike],
    network: Network | None = None,
    *,
    cell: Cell | None = None,
    signature: Signature | None = None,
    prefixes: Prefixes | None = None,
) -> Network:
    """A network with the weights of a state_dict; or `network` itself, with these weights in place of its own.

    arrays: by name, PyTorch's or gradviz's own (as in a run's folder); they are copied. What shapes do not tell must be said:
    cell: e.g. CELLS["rnn"](activation="relu"), else tanh; signature: tokens fed one-hot, loss, where to read out. prefixes: where the
    names leave it open. A module without readout gets the identity: its outputs are the hidden states.
    """
    given = _checked(arrays)
    own = is_own(given)
    if prefixes is None:
        prefixes = Prefixes() if own else prefixes_of(given, Prefixes("", None, None) if network is None else Prefixes())
    shapes = {name: array.shape for name, array in given.items()}
    parts = _parts_of(network, cell, signature) if network is not None else architecture_of(shapes, prefixes, cell, signature)
    wanted = parts.shapes() if own else torch_shapes(parts, prefixes)
    _compare(wanted, shapes)
    found = given if own else _translated(parts, given, prefixes)
    if network is not None:
        _put(network, found)
        return network
    if "readout.weight" not in found and not parts.model.tied:
        found |= _identity(parts)
    precision = "float64" if any(array.dtype == np.float64 for array in given.values()) else "float32"
    return Network.of(parts, {name: np.array(found[name], precision, order="C") for name in parts.shapes()}, precision)


def _parts_of(network: Network, cell: Cell | None, signature: Signature | None) -> Architecture:
    for what, said, has in (("cell", cell, network.model.cell), ("signature", signature, network.signature)):
        if said is not None and said != has:
            raise GradvizError(f"the weights are for the {what} {said}; this network's is {has}.")
    return network.parts


def _checked(arrays: Mapping[str, ArrayLike]) -> Parameters:
    """As arrays of float32 or float64, under names with a layer in them."""
    given, problems = {}, []
    for name, values in arrays.items():
        try:
            array = np.asarray(values)
        except (TypeError, ValueError, RuntimeError) as error:
            problems.append(f"{name} is no array: {error}")
            continue
        if not np.issubdtype(array.dtype, np.floating):
            problems.append(f"{name} is {array.dtype}; weights are floating-point numbers")
        given[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    if any("weight_hr_l" in name for name in given):
        problems.append("weight_hr_l0 belongs to an LSTM with proj_size, which gradviz has not: make the module with proj_size=0")
    _raise(problems)
    return {f"{name}_l0" if PLAIN.fullmatch(name) and not is_own([name]) else name: array for name, array in given.items()}


def _compare(wanted: Shapes, given: Shapes) -> None:
    """Every entry that is missing, too much or of the wrong shape, in one error."""
    missing, extra = [name for name in wanted if name not in given], [name for name in given if name not in wanted]
    problems = [f"{name} is missing, of shape {wanted[name]}" for name in missing]
    for name in extra:
        close = difflib.get_close_matches(name, missing or list(wanted), n=1)
        problems.append(f"{name} of shape {given[name]} has no place here{f'; did you mean {close[0]!r}?' if close else ''}")
    wrong = [name for name in wanted if name in given and given[name] != wanted[name]]
    problems += [f"{name} has shape {given[name]}; it must have {wanted[name]}" for name in wrong]
    if any(name.endswith(("weight", "bias")) for name in missing):
        problems.append("what its parts are called a module says with Prefixes, and with readout=None that it has no readout")
    _raise(problems)


def _raise(problems: list[str]) -> None:
    if problems:
        raise ShapeError(f"these weights do not fit: {'; '.join(problems)}. Nothing was changed.")


def _translated(parts: Architecture, given: Parameters, prefixes: Prefixes) -> Parameters:
    """Under gradviz's own names and in its layout."""
    found: Parameters = {}
    if parts.bottom.embedding and prefixes.embedding is not None:
        found["embedding.weight"] = given[f"{prefixes.embedding}weight"]
    for layer, direction in parts.places:
        end, kinds = ending(layer, direction), ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        names = {kind: f"{prefixes.rnn}{kind}{end}" for kind in kinds}
        layer_arrays = {kind: given[name] for kind, name in names.items() if name in given}
        ours = from_layout(parts.model.cell, layer_arrays)
        found |= {f"layers.{layer}.{direction}.{kind}": array for kind, array in ours.items()}
    if prefixes.readout is not None:
        if parts.model.tied:
            _check_tied(given, f"{prefixes.readout}weight", f"{prefixes.embedding}weight")
        else:
            found["readout.weight"] = given[f"{prefixes.readout}weight"].T
        found["readout.bias"] = given[f"{prefixes.readout}bias"]
    return found


def _check_tied(given: Parameters, readout: str, embedding: str) -> None:
    if not np.array_equal(given[readout], given[embedding], equal_nan=True):
        _raise([f"this network reads out with its embedding, but {readout} and {embedding} differ; make it with tied=False"])


def _identity(parts: Architecture) -> Parameters:
    outputs = parts.signature.outputs
    if outputs != parts.width(parts.top):
        raise ShapeError(f"without a readout there are {parts.width(parts.top)} outputs, the hidden states; the signature says {outputs}.")
    return {"readout.weight": np.eye(parts.width(parts.top)), "readout.bias": np.zeros(parts.width(parts.top))}


def _put(network: Network, found: Parameters) -> None:
    """Into the network's own arrays, if all of them can hold it."""
    cast: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        cast = {name: array.astype(network.dtype) for name, array in found.items()}
    large = [name for name, array in cast.items() if not np.array_equal(np.isfinite(array), np.isfinite(found[name]))]
    _raise([f"{name} holds numbers beyond {network.dtype}" for name in large])
    for name, array in cast.items():
        network.parameters[name][...] = array
