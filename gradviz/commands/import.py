"""gradviz import: a log of another program as a run."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import printable, relative, say
from gradviz.errors import GradvizError


class Import(Command):
    summary = "make a run of another program's log of gradient norms"
    details = """\
Make a run of another program's log, a CSV file with a header and one row a training step.

  gradviz import metrics.csv --out gradviz-runs/mine
  gradviz import log.csv --out gradviz-runs/mine --column step=it --column norm_before=gn --threshold 1
  gradviz import --profiles lags.csv --out gradviz-runs/mine

Roles of columns: step, loss, held_out, norm_before, norm_after (of the whole gradient, before and after clipping), threshold, rate,
seconds, parameters (the norm of one parameter's gradient; may be given several times). Those not said are guessed from the names that
Lightning, Hugging Face, Weights & Biases and others give. An empty cell was not measured; NaN and inf are kept."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("log", nargs="?", type=Path, metavar="LOG.csv", help="the log")
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the run's folder, which must not exist yet")
        parser.add_argument("--column", action="append", default=[], metavar="ROLE=NAME", help="which column it is; ROLE= for no column")
        parser.add_argument("--threshold", type=float, metavar="X", help="clipping threshold of the global norm, if no column holds it")
        parser.add_argument("--profiles", type=Path, metavar="LAGS.csv", help="norms per lag: columns step, lag, norm")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.exchange import import_csv  # pandas and pyarrow: not needed for --help
        from gradviz.frames import load

        columns: dict[str, str | list[str] | None] = {}
        parameters = []
        for said in arguments.column:
            role, equals, name = said.partition("=")
            if not equals:
                raise GradvizError(f"--column is {said!r}; it must be ROLE=NAME, such as --column step=iteration.")
            if role in columns:
                raise GradvizError(f"--column {role} is given twice; only parameters may be.")
            if role == "parameters":
                parameters += [name] if name else []
            else:
                columns[role] = name or None
        if any(said.startswith("parameters=") for said in arguments.column):
            columns["parameters"] = parameters
        folder = import_csv(arguments.log, arguments.out, columns, threshold=arguments.threshold, profiles=arguments.profiles)
        run = load(folder)
        say(f"{printable(run.name)}: {len(run.steps)} training steps, {len(run.table('reach'))} profiles over lags.")
        for note in run.remarks:
            say(f"  {printable(note[:1].upper() + note[1:])}.")
        say(f"Imported into {relative(folder)}.")
