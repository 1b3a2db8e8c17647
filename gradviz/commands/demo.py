"""gradviz demo: the nine runs of the guided tour and their report."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._runs import OUT
from gradviz.errors import GradvizError


class Demo(Command):
    summary = "train nine small networks and explain what their gradients do, in one page"
    details = """\
Train an RNN, a GRU and an LSTM on a text, each with and without clipping, and on a task that needs a long memory.
Then write one page, report.html, that shows what their gradients did. Needs no network and no data: about a minute."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=Path(OUT), metavar="FOLDER", help=f"for the runs and the page (default ./{OUT})")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of weights and batches (default 0)")
        parser.add_argument("--processes", type=int, default=2, metavar="N", help="networks trained at the same time (default 2)")
        parser.add_argument("--quick", action="store_true", help="few updates: a look at the page in seconds; its findings mean nothing")

    def run(self, arguments: argparse.Namespace) -> None:
        for name, least in (("seed", 0), ("processes", 1)):
            if getattr(arguments, name) < least:
                raise GradvizError(f"--{name} is {getattr(arguments, name)}; it must be at least {least}.")

        from gradviz import demo  # pandas, Jinja, pyarrow: not needed for --help

        demo.main(arguments)
