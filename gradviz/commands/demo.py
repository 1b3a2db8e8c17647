"""gradviz demo: the nine runs of the guided tour and their report."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import Bars, relative, say
from gradviz.commands._runs import OUT, finish, make_folder
from gradviz.errors import GradvizError

QUICK = 20  # updates of each run with --quick


class Demo(Command):
    summary = "train nine small networks and explain what their gradients do, in one page"
    details = """\
Train an RNN, a GRU and an LSTM on English text, each without and with clipping, and on a task that needs a long memory.
Then write one page, report.html, that shows what their gradients did. Needs no network and no data: about a minute."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=Path(OUT), metavar="FOLDER", help=f"for the runs and the page (default ./{OUT})")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of weights and batches (default 0)")
        parser.add_argument("--processes", type=int, default=2, metavar="N", help="networks trained at the same time (default 2)")
        parser.add_argument("--force", action="store_true", help="replace the runs of an earlier demo in this folder")
        parser.add_argument("--quick", action="store_true", help="few updates: a look at the page in seconds; its findings mean nothing")

    def run(self, arguments: argparse.Namespace) -> None:
        for name, least in (("seed", 0), ("processes", 1)):
            if getattr(arguments, name) < least:
                raise GradvizError(f"--{name} is {getattr(arguments, name)}; it must be at least {least}.")

        from gradviz import demo  # pandas, Jinja, pyarrow: not needed for --help
        from gradviz.frames import load_runs
        from gradviz.reports import report
        from gradviz.sweep import train_all

        experiments = demo.experiments(arguments.seed)
        if arguments.quick:
            experiments = {name: demo.shortened(experiment, QUICK) for name, experiment in experiments.items()}
        make_folder(arguments.out)
        _refuse_to_replace(arguments.out, list(experiments), arguments.force)
        with Bars() as bars:
            folders = train_all(experiments, arguments.out, processes=arguments.processes, watch=bars, force=arguments.force)
        runs = load_runs(folders)
        page = report(runs, kind="demo").write(arguments.out / "report.html", force=True)
        finish(runs, arguments.out)
        say(f"The report, one file to open in a browser or to hand on:\n  {relative(page)}")


def _refuse_to_replace(out: Path, names: list[str], force: bool) -> None:
    """Say so before a minute of training, not after."""
    there = [name for name in names if (out / name / "run.json").exists()]
    if there and not force:
        raise GradvizError(
            f"{out} holds runs of an earlier demo ({there[0]}{' …' if len(there) > 1 else ''}). "
            f"Add --force to replace them, or --out another folder; gradviz dashboard {out} shows what is there."
        )
