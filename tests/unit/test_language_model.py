"""Opening a language model, and what is said when there is none; sentences."""

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import gradviz
from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError, RunError
from gradviz.language import LanguageModel, activations, connectivity, connectivity_all, probability, sample
from gradviz.network import Network
from gradviz.recording.reading import read_weights
from tests.language_models import drawn, toy


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a real run, to be spoiled."""
    return Path(shutil.copytree(trained / "text-lstm", tmp_path / "run"))


def change(run: Path, **entries: Any) -> None:
    meta = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**meta, **entries}), encoding="utf-8")


# ------------------------------------------------------------------ loading


def test_a_run_s_model_has_its_weights_and_its_vocabulary(run: Path) -> None:
    model = LanguageModel.load(run, "last")
    assert model.name == "text-lstm"
    assert model.network.dtype == np.float64
    for name, array in read_weights(run).items():
        np.testing.assert_array_equal(model.network.parameters[name], array)
    assert model.vocabulary.tokens == tuple(json.loads((run / "run.json").read_text(encoding="utf-8"))["facts"]["vocabulary"])


def test_the_best_weights_are_taken_if_they_were_kept(run: Path) -> None:
    best = {name: array + 1 for name, array in read_weights(run).items()}
    save_file(best, run / "best.safetensors")
    np.testing.assert_array_equal(LanguageModel.load(run).network.parameters["readout.bias"], best["readout.bias"])
    (run / "best.safetensors").unlink()
    last = LanguageModel.load(run, "last").network.parameters["readout.bias"]
    np.testing.assert_array_equal(LanguageModel.load(run).network.parameters["readout.bias"], last)


def test_a_folder_a_loaded_run_and_a_model_are_asked_alike(run: Path) -> None:
    said = [probability(asked, "The").log_probability for asked in (run, str(run), gradviz.load(run), LanguageModel.load(run))]
    assert len(set(said)) == 1
    assert gradviz.probability(run, "The").log_probability == said[0]
    assert gradviz.sample(run, length=3).text == sample(run, length=3).text
    assert gradviz.connectivity(run, "The", 2).shape == (2,)


def test_what_is_no_run_is_said(run: Path, trained: Path, shaped: Path) -> None:
    with pytest.raises(RunError, match="there is no folder"):
        LanguageModel.load(trained / "nowhere")
    with pytest.raises(RunError, match="is not a run folder"):
        LanguageModel.load(trained)
    with pytest.raises(GradvizError, match="None is no run: give the folder of one"):
        probability(None, "a")  # type: ignore[arg-type]
    for name in ("numbers", "sine"):
        with pytest.raises(RunError, match=f"{name} is no language model: "):
            LanguageModel.load(shaped / name)
    with pytest.raises(GradvizError, match="unknown weights 'worst'"):
        LanguageModel.load(run, "worst")


SPOILED = {
    "facts": ([], "its run.json has no facts"),
    "experiment": ("x", "its run.json has no experiment"),
    "signature": ({"inputs": 3}, "does not read tokens of a text"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_run_json_that_makes_no_sense_is_said(run: Path, name: str) -> None:
    value, message = SPOILED[name]
    change(run, **{name: value})
    with pytest.raises(RunError, match=message):
        LanguageModel.load(run)


def test_a_network_that_reads_backward_is_no_language_model(run: Path) -> None:
    experiment = gradviz.load(run).meta["experiment"]
    for direction, ways in (("both", "in both directions"), ("backward", "backward")):
        change(run, experiment={**experiment, "model": {**experiment["model"], "direction": direction}})
        with pytest.raises(GradvizError, match=f"its layers read {ways} and have seen what is to come"):
            LanguageModel.load(run)


def test_weights_that_are_missing_damaged_or_of_another_network_are_said(run: Path) -> None:
    for path in run.glob("*.safetensors"):
        path.unlink()
    with pytest.raises(RunError, match=r"has no weights.safetensors \(yet\)"):
        LanguageModel.load(run)
    for data in (b"", b"PK\x03\x04" + bytes(40), (10**15).to_bytes(8, "little") + b"{}"):
        (run / "weights.safetensors").write_bytes(data)
        with pytest.raises(GradvizError, match=r"pickle|no .safetensors file"):
            LanguageModel.load(run)
    save_file({"readout.bias": np.zeros(3)}, run / "weights.safetensors")
    with pytest.raises(GradvizError, match="these weights do not fit"):
        LanguageModel.load(run)


def test_a_network_larger_than_memory_is_refused(run: Path) -> None:
    experiment = gradviz.load(run).meta["experiment"]
    change(run, experiment={**experiment, "model": {**experiment["model"], "units": 10**8}})
    with pytest.raises(GradvizError, match=r"larger than any memory|do not fit"):
        LanguageModel.load(run)


def test_a_vocabulary_must_be_the_network_s() -> None:
    with pytest.raises(GradvizError, match="must read the 4 tokens"):
        LanguageModel(Network(Model(units=2), Signature(5, 5, True, "softmax")), toy().vocabulary, "x")


def test_a_model_in_single_precision_answers_in_double() -> None:
    model = toy()
    single = LanguageModel(model.network.astype("float32"), model.vocabulary, "single")
    assert probability(single, "cats sleep").log_probability == probability(model, "cats sleep").log_probability


def test_interventions_act_and_calls_do_not_disturb_one_another() -> None:
    model = drawn("ab")
    plain = probability(model, "abab").log_factors
    with model.network.intervene("layers.0.forward.hidden", gradviz.hooks.ablate([0, 1, 2, 3, 4])):
        alone = probability(model, "abab").log_factors
        assert len({round(float(value), 12) for value in alone[[0, 2]]}) == 1, "without a state only the bias speaks"
    np.testing.assert_array_equal(probability(model, "abab").log_factors, plain)
    first, second = model.fresh(), model.fresh()
    run = first.forward(np.array([[2], [3]]), reuse=True)
    kept = run.tapes["layers.0.forward"].values("hidden").copy()
    second.forward(np.array([[3], [3]]), reuse=True)
    np.testing.assert_array_equal(run.tapes["layers.0.forward"].values("hidden"), kept)


# ------------------------------------------------------------------ sentences


def test_a_text_without_a_token_is_an_error() -> None:
    for ask in (probability, connectivity_all, activations, lambda model, text: connectivity(model, text, 0)):
        with pytest.raises(GradvizError, match=r"the text is empty; toy needs at least one token"):
            ask(toy(), "")
    with pytest.raises(GradvizError, match="the text has no word in it"):
        probability(toy(), " \n")


def test_unknown_words_are_read_as_unk_and_named() -> None:
    said = probability(toy(), "cats dogs bark dogs")
    assert said.unknown == ["dogs", "bark"]
    assert said.tokens == ["cats", "<UNK>", "<UNK>", "<UNK>", "<EOS>"]


def test_a_text_that_spells_a_special_token_does_not_forge_one() -> None:
    said = probability(toy(), "<EOS>", eos=False)
    assert "<EOS>" not in said.tokens
    assert said.unknown == ["<", "EOS", ">"]


def test_without_its_end_a_sentence_goes_on() -> None:
    whole, part = probability(toy(), "cats sleep"), probability(toy(), "cats sleep", eos=False)
    assert (whole.includes_eos, part.includes_eos) == (True, False)
    np.testing.assert_allclose(whole.log_factors[:2], part.log_factors, rtol=1e-15)
    assert not probability(drawn("ab", ends="none"), "ab").includes_eos


def test_bits_per_character_count_characters_at_any_level() -> None:
    said = probability(toy(), "cats sleep")
    assert said.bits_per_character == pytest.approx(-math.log2(said.probability) / 10)
    letters = probability(drawn("ab", ends="none"), "abba")
    assert letters.bits_per_character == pytest.approx(math.log2(letters.perplexity))


def test_the_table_has_every_factor_and_the_product_so_far() -> None:
    said = probability(toy(), "cats sleep", most=2)
    rows = said.table()
    assert [row["step"] for row in rows] == [1, 2, 3]
    np.testing.assert_allclose([row["product"] for row in rows], np.cumprod(np.exp(said.log_factors)))
    np.testing.assert_allclose([row["log10_product"] for row in rows], np.cumsum(said.log_factors) / math.log(10))
    assert [label for label, _ in rows[0]["alternatives"]] == ["cats", "sleep"]
    assert rows[0]["token"] == "cats"


def test_alternatives_are_the_likeliest_and_ties_go_by_id() -> None:
    said = probability(toy(), "cats", most=9)
    assert [label for label, _ in said.alternatives[0]] == ["cats", "sleep", "<UNK>", "<EOS>"]
    assert math.fsum(chance for _, chance in said.alternatives[0]) == pytest.approx(1, abs=1e-15)
    assert probability(toy(), "cats", most=0).alternatives == [[], []]
    with pytest.raises(GradvizError, match="most is -1"):
        probability(toy(), "cats", most=-1)


def test_a_network_that_broke_says_nan_and_does_not_fail() -> None:
    model = toy()
    model.network.parameters["readout.weight"][0, 0] = np.nan
    said = probability(model, "cats sleep")
    assert np.isnan(said.log_factors).all()
    assert math.isnan(said.perplexity)
    assert math.isnan(said.probability)


# ------------------------------------------------------------------ connectivity and states


def test_positions_and_tokens_must_be_there() -> None:
    with pytest.raises(GradvizError, match="this text has 2 tokens, so it must be between 0 and 2"):
        connectivity(toy(), "cats", 3)
    with pytest.raises(GradvizError, match="the vocabulary has 4 tokens"):
        connectivity(toy(), "cats", 1, k=4)
    with pytest.raises(GradvizError, match="at most 400"):
        connectivity_all(drawn("ab"), "ab" * 201)


def test_states_are_those_after_each_token() -> None:
    model, text = drawn("ab", model=Model(cell=CELLS["lstm"](), units=3, layers=2)), "abba" * 100
    found = activations(model, text, layer=-1)
    assert set(found) == {"hidden", "cell", "candidate", "gate.input", "gate.forget", "gate.output"}
    ids = model.vocabulary.encode(text)
    whole = model.network.forward(np.concatenate([[-1], ids])[:, None])
    for point, values in found.items():
        np.testing.assert_allclose(values, whole.tapes["layers.1.forward"].values(point)[1:, 0], rtol=1e-13)
    with pytest.raises(GradvizError, match="there is no layer 2; drawn has 2"):
        activations(model, text, layer=2)
    with pytest.raises(GradvizError, match="no direction 'backward'"):
        activations(model, text, 0, "backward")


def test_anything_with_a_path_is_a_run(run: Path) -> None:
    assert probability(SimpleNamespace(path=run), "a").tokens == ["a"]
