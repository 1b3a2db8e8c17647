"""Exchanging weights: what does not fit is named, all of it at once, and nothing is changed; a hostile file is one clear error."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from gradviz.arrays import Parameters
from gradviz.batch import Signature
from gradviz.bridges import Prefixes, from_torch, load_weights, save_weights, to_torch
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError
from gradviz.frames import load
from gradviz.network import Network
from tests.synthetic import make_run

VALUES, TOKENS = Signature(3, 2, False, "squared", at="last"), Signature(5, 5, True, "softmax")


def network(cell: str = "lstm", *, seed: int = 1, signature: Signature = VALUES, **options: object) -> Network:
    made = Network(Model(cell=CELLS[cell](), units=4, **options), signature, seed=seed)  # type: ignore[arg-type]
    for array in made.parameters.values():
        array += np.random.default_rng(seed).normal(size=array.shape).astype(array.dtype)
    return made


def same(one: Network, other: Network) -> None:
    assert list(one.parameters) == list(other.parameters)
    for name, array in one.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], array, err_msg=name)
        assert not np.shares_memory(array, other.parameters[name])


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("signature", [VALUES, TOKENS])
def test_every_cell_comes_back_from_a_file(cell: str, direction: str, signature: Signature, tmp_path: Path) -> None:
    made = network(cell, layers=2, direction=direction, signature=signature, embedding=3 if signature.tokens else 0)
    save_weights(made, tmp_path / "w.safetensors")
    again = load_weights(tmp_path / "w.safetensors")
    assert (again.model.cell, again.signature, again.model.direction) == (made.model.cell, signature, direction)
    same(made, again)
    other = network(cell, seed=2, layers=2, direction=direction, signature=signature, embedding=3 if signature.tokens else 0)
    load_weights(tmp_path / "w.safetensors", other)
    same(made, other)
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_what_shapes_do_not_tell_is_in_the_file(tmp_path: Path) -> None:
    relu = Network(Model(cell=CELLS["rnn"](activation="relu"), units=4), TOKENS)  # type: ignore[call-arg]
    save_weights(relu, tmp_path / "w.safetensors")
    again = load_weights(tmp_path / "w.safetensors")
    assert (again.model.cell, again.signature) == (relu.model.cell, TOKENS)
    with pytest.raises(GradvizError, match=r"are for the cell RNN\(activation='relu'\); this network's is RNN\(activation='tanh'\)"):
        load_weights(tmp_path / "w.safetensors", network("rnn", signature=TOKENS))


def test_an_encoder_and_decoder_come_back_and_are_no_module_of_pytorch(tmp_path: Path) -> None:
    signature = Signature(4, 3, True, "softmax", at="decoded", decoder=3)
    made = Network(Model(units=3, layers=2, embedding=5, direction="both"), signature, dtype="float64", seed=5)
    save_weights(made, tmp_path / "w.safetensors")
    again = load_weights(tmp_path / "w.safetensors")
    assert (again.model, again.signature) == (made.model, signature)
    for name, array in made.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], array)
    with pytest.raises(GradvizError, match="two modules in PyTorch"):
        to_torch(made)


def test_a_run_s_weights_go_into_a_network(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "run", "gru", task="adding", steps=2))
    made = load_weights(run.path / "weights.safetensors", Network(run.experiment.model, Signature(**run.meta["signature"])))
    for name, array in run.weights().items():
        np.testing.assert_array_equal(made.parameters[name], array)
    assert load_weights(run.path / "weights.safetensors").model.cell == CELLS["gru"]()


@pytest.mark.parametrize("cell", ["lstm_peephole", "gru_simplified", "gru_reset_before"])
def test_cells_pytorch_lacks_are_refused(cell: str) -> None:
    with pytest.raises(GradvizError, match=f"PyTorch has no {cell}; it has gru, lstm, rnn"):
        to_torch(network(cell))


def test_arrays_are_new() -> None:
    made = network(signature=TOKENS, embedding=3)
    before = {name: array.copy() for name, array in made.parameters.items()}
    for array in to_torch(made).values():
        assert not any(np.shares_memory(array, own) for own in made.parameters.values())
        array[...] = 7
    assert all(np.array_equal(before[name], array) for name, array in made.parameters.items())


# ------------------------------------------------------------------ what does not fit


def spoilt(change: str) -> Parameters:
    arrays = to_torch(network(layers=2))
    match change:
        case "several":
            arrays["rnn.weight_hh_l1"] = arrays["rnn.weight_hh_l1"][:, :3]
            arrays["rnn.weight_ih_10"] = arrays.pop("rnn.weight_ih_l0")
            del arrays["fc.bias"]
        case "integers":
            arrays["rnn.bias_ih_l0"] = np.zeros(16, int)
        case "object":
            arrays["rnn.bias_ih_l0"] = np.array([None] * 16)
        case "two modules":
            arrays["other.weight_ih_l0"] = arrays["rnn.weight_ih_l0"]
        case "two readouts":
            arrays |= {"head.weight": arrays["fc.weight"], "head.bias": arrays["fc.bias"]}
        case "too large":
            arrays["fc.bias"] = np.array([1e300, 0])
        case "no module":
            arrays = {"fc.weight": arrays["fc.weight"], "fc.bias": arrays["fc.bias"]}
    return arrays


ANSWERS = {
    "several": r"fc\.bias is missing, of shape \(2,\).*rnn\.weight_ih_10 of shape \(16, 3\) has no place here; "
    r"did you mean 'rnn\.weight_ih_l0'\?.*rnn\.weight_hh_l1 has shape \(16, 3\); it must have \(16, 4\).*Nothing was changed",
    "integers": r"rnn\.bias_ih_l0 is int64; weights are floating-point",
    "object": r"rnn\.bias_ih_l0 is object",
    "two modules": r"each of 'other\.', 'rnn\.' could be the rnn: say which with Prefixes\(rnn=",
    "two readouts": r"each of 'fc\.', 'head\.' could be the readout",
    "too large": r"readout\.bias holds numbers beyond float32",
    "no module": r"weight_ih_l0 is missing, of shape \(16, 3\)",
}


@pytest.mark.parametrize("change", ANSWERS)
def test_what_does_not_fit_is_named_and_changes_nothing(change: str) -> None:
    made = network(layers=2, seed=3)
    before = {name: array.copy() for name, array in made.parameters.items()}
    with pytest.raises(GradvizError, match=ANSWERS[change]):
        from_torch(spoilt(change), made)
    assert all(np.array_equal(before[name], array) for name, array in made.parameters.items())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            {"weight_ih_l0": (10, 3), "weight_hh_l0": (10, 5)},
            r"10 rows for 5 units; per unit there must be 1 \(rnn\), 3 \(gru\), 4",
        ),
        ({"weight_ih_l0": (4, 3), "weight_hh_l0": (4,)}, r"weight_hh_l0 has shape \(4,\); it must have two axes"),
        ({"weight_ih_l0": (4, 3)}, r"there is no weight_hh_l0; there is weight_ih_l0"),
        ({"weight_ih_l0": (0, 3), "weight_hh_l0": (0, 0)}, "must be at least 1|rows for 0 units"),
        ({"weight_ih_l0": (4, 0), "weight_hh_l0": (4, 4)}, r"take 0 inputs and make 4 outputs"),
        ({}, "there are no recurrent weights"),
        ({"weight_ih_l0": (4, 3), "weight_hh_l0": (4, 4), "weight_hr_l0": (2, 4)}, "proj_size"),
    ],
)
def test_shapes_no_network_has(shape: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        from_torch({name: np.zeros(size) for name, size in shape.items()})


def test_a_module_without_a_readout_is_missed_unless_it_is_said() -> None:
    made, arrays = network(seed=2), to_torch(network(), Prefixes("", None, None))
    with pytest.raises(GradvizError, match=r"fc\.weight is missing.*readout=None that it has no readout"):
        from_torch(arrays, made)
    kept = made.parameters["readout.weight"].copy()
    from_torch(arrays, made, prefixes=Prefixes("", None, None))
    np.testing.assert_array_equal(made.parameters["readout.weight"], kept)
    np.testing.assert_array_equal(made.parameters["layers.0.forward.weight_hh"], network().parameters["layers.0.forward.weight_hh"])
    with pytest.raises(GradvizError, match="there are 4 outputs, the hidden states; the signature says 2"):
        from_torch(arrays, signature=VALUES)


# ------------------------------------------------------------------ files


def whole() -> bytes:
    return bytes(save({name: np.ascontiguousarray(array) for name, array in to_torch(network()).items()}))


def with_header(text: str, body: bytes = b"") -> bytes:
    return len(text.encode()).to_bytes(8, "little") + text.encode() + body


ENTRY = '{"weight_hh_l0":{"dtype":"F32","shape":%s,"data_offsets":%s}}'
BROKEN = {
    "empty": b"",
    "short": b"1234",
    "huge header": (2**63).to_bytes(8, "little") + b"{}",
    "header beyond the file": (500).to_bytes(8, "little") + b"{}",
    "no JSON": with_header("gradviz"),
    "a list": with_header("[]"),
    "out of range": with_header(ENTRY % ("[2]", "[0,8]"), b"1234"),
    "overflow": with_header(ENTRY % ("[4611686018427387904,4611686018427387904]", "[0,8]"), bytes(8)),
    "shape of NaN": with_header(ENTRY % ("[NaN]", "[0,8]"), bytes(8)),
    "negative": with_header(ENTRY % ("[-2]", "[0,8]"), bytes(8)),
    "empty but long": with_header(ENTRY % ("[0,9223372036854775807]", "[0,0]")),
    "many axes": with_header(ENTRY % (str([1] * 99), "[0,4]"), bytes(4)),
    "deep": with_header("[" * 5000),
    "text": b"these are no weights at all, whatever the name of the file says",
    "truncated": whole()[:-7],
    "integers": bytes(save({"weight_hh_l0": np.zeros((4, 4), np.int64)})),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_one_clear_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(GradvizError, match=re.escape(str(path))):
        load_weights(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match="is no file"):
        load_weights(tmp_path)
    with pytest.raises(GradvizError, match="cannot be read: No such file"):
        load_weights(tmp_path / "none.safetensors")
    with pytest.raises(GradvizError, match="cannot write"):
        save_weights(network(), tmp_path / "none" / "w.safetensors")


@pytest.mark.parametrize(
    "facts",
    [
        {"gradviz.cell": "{"},
        {"gradviz.cell": "3"},
        {"gradviz.cell": '{"name": "elman"}'},
        {"gradviz.cell": '{"name": "rnn", "activation": "step"}'},
        {"gradviz.cell": '{"activation": "tanh"}'},
        {"gradviz.cell": '{"name": "gru"}'},
        {"gradviz.signature": "[]"},
        {"gradviz.signature": json.dumps({"inputs": 3})},
        {"gradviz.signature": json.dumps({"inputs": 10**15, "outputs": 2, "tokens": True, "loss": "squared", "at": "every"})},
        {"gradviz.signature": json.dumps({"inputs": 3, "outputs": 2, "tokens": False, "loss": "squared", "at": "never"})},
    ],
)
def test_what_a_file_says_of_itself_is_not_believed_blindly(facts: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in to_torch(network()).items()}, facts))
    with pytest.raises(GradvizError):
        load_weights(path)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_anywhere_load_or_are_refused(data: st.DataObject, tmp_path: Path) -> None:
    """Flipped, cut, inserted; mostly in the header, where it hurts."""
    raw = bytearray(whole())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.integers(0, 600), st.integers(0, max(len(raw) - 1, 0)))) % max(len(raw), 1)
        match data.draw(st.sampled_from(["set", "insert", "cut", "digit"])):
            case "set":
                raw[place : place + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case "insert":
                raw[place:place] = data.draw(st.binary(min_size=1, max_size=9))
            case "cut":
                del raw[place : place + data.draw(st.integers(1, 40))]
            case _:
                digits = [at for at, byte in enumerate(raw[:600]) if chr(byte).isdigit()]
                if digits:
                    raw[data.draw(st.sampled_from(digits))] = ord(data.draw(st.sampled_from("0123456789")))
    path = tmp_path / "w.safetensors"
    path.write_bytes(raw)
    try:
        made = load_weights(path)
    except GradvizError:
        return
    assert sum(array.size for array in made.parameters.values()) < 10_000
