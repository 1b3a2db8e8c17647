"""gradviz resume: go on with a run that was interrupted."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import Bars
from gradviz.commands._runs import finish
from gradviz.errors import GradvizError


class Resume(Command):
    summary = "go on with a run that was interrupted, failed or killed"
    details = """\
Go on with a run that was interrupted, failed or killed, from its latest checkpoint.
It ends with the very numbers it would have had in one go.

  gradviz resume gradviz-runs/text-lstm                    what is left of it
  gradviz resume gradviz-runs/text-lstm --updates 2000     a finished run, trained on until there are so many updates in all"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
        parser.add_argument("--updates", type=_whole, metavar="N", help="updates in all, if not as many as planned")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.frames import load  # pandas and pyarrow: not needed for --help
        from gradviz.training import resume

        with Bars() as bars:
            made = resume(arguments.run, watch=bars, updates=arguments.updates)
        finish([load(made)], made.parent)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise GradvizError(f"--updates is {text!r}; it must be a whole number, such as 1000.") from None
