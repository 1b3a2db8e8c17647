"""The flags are the options: none missing, none invented, each value arriving where it belongs."""

import argparse
import json

import pytest

from gradviz.config import Experiment
from gradviz.errors import GradvizError
from gradviz.flags import Flag, add_flags, all_flags, build, experiments, given_in, help_of

FLAGS = all_flags()


def parse(line: str, *, many: bool = False) -> list[tuple[dict[str, str], Experiment]]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, FLAGS, many=many)
    return experiments(FLAGS, given_in(parser.parse_args(line.split()), FLAGS, many=many))


def leaves(tree: dict, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Every value of a nested dict by its path; an entry's name stands for the entry."""
    found: dict[tuple[str, ...], object] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= leaves(value, (*path, name))
        elif name == "name" and path:
            found[path] = value
        else:
            found[(*path, name)] = value
    return found


def test_no_flags_give_the_default_experiment() -> None:
    assert build(FLAGS, {}) == Experiment()
    assert [experiment for _, experiment in parse("")] == [Experiment()]


def test_flag_names_are_unique_and_every_default_option_has_one() -> None:
    names = [flag.name for flag in FLAGS]
    assert len(names) == len(set(names))
    assert {flag.path for flag in FLAGS} >= set(leaves(Experiment().to_dict()))


# Options that only make sense beside another one.
NEEDS = {"dropout": "--layers 2 ", "optimizer.nesterov": "--optimizer.momentum 0.9 ", "carry-state": "--task.order contiguous "}


def different(flag: Flag, default: object, item) -> object:
    """A value that is allowed and is not the default."""
    choices, high = item.metadata.get("choices"), item.metadata.get("high")
    if choices:
        return next(choice for choice in choices if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return "other"
    step = 2 if isinstance(default, int) else max(abs(default), 1e-3) / 8
    up = default + step
    return up if high is None or up <= high else default - step


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.registry is None], ids=lambda flag: flag.name)
def test_every_option_of_every_entry_arrives_where_it_belongs_and_nowhere_else(flag: Flag) -> None:
    for entry, item in flag.owners.items():
        choose = (f"--{flag.chooser} {entry} " if entry else "") + NEEDS.get(flag.name, "")
        ((_, before),) = parse(choose)
        old = leaves(before.to_dict())
        value = different(flag, old[flag.path], item)
        typed = ("" if value else "no-") if isinstance(value, bool) else ""
        ((_, after),) = parse(f"{choose}--{typed}{flag.name}" + ("" if isinstance(value, bool) else f" {value}"))
        new = leaves(after.to_dict())
        changed = {path for path in new if new[path] != old[path]}
        assert changed == {flag.path}, (entry, flag.name)
        assert new[flag.path] == pytest.approx(value) if isinstance(value, float) else new[flag.path] == value
        assert type(new[flag.path]) is type(old[flag.path])


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.registry is not None], ids=lambda flag: flag.name)
def test_every_entry_can_be_chosen(flag: Flag) -> None:
    for entry in flag.registry or ():
        ((_, experiment),) = parse(f"--{flag.name} {entry}")
        assert leaves(experiment.to_dict())[flag.path] == entry
        assert entry in help_of(flag)


def test_help_says_meaning_default_choices_and_owners() -> None:
    said = {flag.name: help_of(flag) for flag in FLAGS}
    assert said["units"] == "units of each layer and direction (default 64)"
    assert "float32, float64 (default float32)" in said["precision"]
    assert said["cell.activation"] == "what squashes the state: tanh, relu, linear (rnn: tanh)"
    assert "sgd: 0.1" in said["optimizer.rate"]
    assert "adam: 0.01" in said["optimizer.rate"]


def test_lists_make_every_combination_and_leave_out_what_an_entry_lacks() -> None:
    made = parse("--cell rnn,gru --cell.activation tanh,relu --clipping none,norm --clipping.limit 0.5 --seed 0,1", many=True)
    trees = [experiment.to_dict() for _, experiment in made]
    found = {
        (cell["name"], cell.get("activation"), training["clipping"].get("limit"), training["seed"])
        for cell, training in ((tree["model"]["cell"], tree["training"]) for tree in trees)
    }
    cells = [("rnn", "tanh"), ("rnn", "relu"), ("gru", None)]
    assert found == {(*cell, limit, seed) for cell in cells for limit in (None, 0.5) for seed in (0, 1)}
    assert len(made) == len(found)


def test_paths_are_not_lists() -> None:
    ((used, experiment),) = parse("--task.file a,b.txt", many=True)
    assert experiment.to_dict()["task"]["file"] == used["task.file"] == "a,b.txt"


BAD = {
    "--units x": "--units is 'x'; it must be a whole number, such as 64",
    "--units 1.5": "must be a whole number",
    "--units 0": "Model.units is 0; it must be at least 1",
    "--gain nan": "Initialization.gain is nan",
    "--optimizer.rate fast": "--optimizer.rate is 'fast'; it must be a number, such as 0.01",
    "--precision float16": "unknown Training.precision 'float16'",
    "--cell lstmm": "unknown cell .* 'lstmm'. Did you mean 'lstm'?",
    "--task addin": "unknown task .* 'addin'. Did you mean 'adding'?",
    "--clipping nrom": "unknown clipping .* 'nrom'. Did you mean 'norm'?",
    "--cell gru --cell.activation relu": "no option of the cell 'gru', which has: none. It belongs to: rnn",
    "--clipping.limit 1": "no option of the clipping 'none'",
    "--optimizer.momentum 0.9": "no option of the optimizer 'adam', which has: --optimizer.rate, --optimizer.beta1",
}


@pytest.mark.parametrize("line", BAD)
def test_what_cannot_be_is_refused_with_what_would_be_right(line: str) -> None:
    with pytest.raises(GradvizError, match=BAD[line]):
        parse(line)


@pytest.mark.parametrize("text", ["1,,2", ",1", "1,"])
def test_an_empty_place_in_a_list_is_refused(text: str) -> None:
    with pytest.raises(GradvizError, match="empty place"):
        parse(f"--seed {text}", many=True)


def test_an_experiment_made_of_flags_survives_json() -> None:
    ((_, experiment),) = parse("--cell rnn --cell.activation relu --clipping norm --clipping.limit 0.25 --gain 2 --direction both")
    assert Experiment.from_dict(json.loads(json.dumps(experiment.to_dict()))) == experiment


@pytest.mark.parametrize(("stored", "direction"), [(False, "forward"), (True, "both")])
def test_an_experiment_stored_when_there_was_bidirectional_still_loads(stored: bool, direction: str) -> None:
    values = Experiment().to_dict()
    del values["model"]["direction"]
    values["model"]["bidirectional"] = stored
    assert Experiment.from_dict(values).model.direction == direction
    assert values["model"]["bidirectional"] is stored


@pytest.mark.parametrize("values", [None, [], 3, {"model": None}, {"model": {"bidirectional": 1}}])
def test_what_is_no_experiment_is_refused(values: object) -> None:
    with pytest.raises(GradvizError):
        Experiment.from_dict(values)  # type: ignore[arg-type]
