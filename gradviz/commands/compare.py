"""gradviz compare: several networks that differ in what is asked for, side by side."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gradviz.commands._base import Command
from gradviz.commands._console import Bars, relative, say
from gradviz.commands._runs import add_where, finish, make_folder, with_text
from gradviz.config import Experiment
from gradviz.errors import GradvizError
from gradviz.flags import Flag, Given, add_flags, all_flags, experiments, given_in
from gradviz.naming import check_name, free, name_of

CELLS = ["rnn", "gru", "lstm"]  # the comparison this project is about
MOST = 200


class Compare(Command):
    summary = "train several networks and set them side by side"
    details = """\
Train every combination of the values given, and write one table and one report.

  gradviz compare                                      RNN, GRU and LSTM on a built-in English text
  gradviz compare my.txt --clipping none,norm          each with and without clipping: six runs
  gradviz compare --task adding --cell gru,lstm --seed 0,1,2

Every flag takes a list with commas. An option that an entry lacks is left out of that entry's runs."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.usage = "gradviz compare [TEXT] [--FLAG VALUE,VALUE …]"
        add_where(parser)
        parser.add_argument("--name", default="", help="folder of this comparison inside --out (default: compare, compare-2, …)")
        parser.add_argument("--processes", type=int, default=2, metavar="N", help="networks trained at the same time (default 2)")
        add_flags(parser, _flags(), many=True)

    def run(self, arguments: argparse.Namespace) -> None:
        if arguments.processes < 1:
            raise GradvizError(f"--processes is {arguments.processes}; it must be at least 1.")
        flags = _flags()
        given = {"cell": CELLS, **with_text(given_in(arguments, flags, many=True), arguments.text)}
        made = experiments(flags, given)
        if len(made) > MOST:
            raise GradvizError(f"these lists make {len(made)} runs; {MOST} is the most. Shorten one.")
        _open_tasks(experiment for _, experiment in made)
        folder = arguments.out / check_name(arguments.name) if arguments.name else free(arguments.out / "compare")

        from gradviz import extend  # pandas, Jinja, pyarrow: not needed for --help
        from gradviz.frames import load_runs
        from gradviz.reports import report
        from gradviz.sweep import train_all

        make_folder(folder)
        with Bars() as bars:
            folders = train_all(
                _named(made, given), folder, processes=arguments.processes, watch=bars, force=arguments.force, extensions=extend.loaded()
            )
        runs = load_runs(folders)
        finish(runs, folder)
        page = report(runs, kind="compare").write(folder / "report.html", force=arguments.force)
        say(f"or open {relative(page)} in a browser.")


def _flags() -> list[Flag]:
    return [flag for flag in all_flags() if flag.name != "name"]


def _named(made: Sequence[tuple[dict[str, str], Experiment]], given: Given) -> dict[str, Experiment]:
    """A name for every run: task, cell and clipping, and whatever else differs between them."""
    differing = {flag for flag, values in given.items() if len(values) > 1} - {"task", "cell", "clipping"}
    named: dict[str, Experiment] = {}
    for used, experiment in made:
        name = name_of(experiment, {flag: value for flag, value in used.items() if flag in differing})
        named[name] = replace(experiment, name=name)
    return named


def _open_tasks(wanted: Iterable[Experiment]) -> None:
    """A text that cannot be read shall say so before anything is written."""
    for experiment in {repr(experiment.task): experiment for experiment in wanted}.values():
        experiment.task.open(experiment.training.seed)
