"""The command line: gradviz COMMAND …

Exit status: 0 done; 1 `gradviz diagnose` found something severe; 2 a request that cannot be met, with the reason on stderr; 130
interrupted.
"""

import argparse
import difflib
import io
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from gradviz import __version__
from gradviz.errors import GradvizError

# Two OpenBLAS threads on products as small as a recurrent step's can be a hundred times slower than one. Read when NumPy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

START = """\
start here:
  gradviz demo                              nine small networks, trained and explained in one page (about a minute)
  gradviz train my.txt --cell gru           one network on a text of yours
  gradviz compare my.txt --clipping none,norm   RNN, GRU and LSTM, with and without clipping, side by side
  gradviz resume gradviz-runs/my-run        go on with a training that was interrupted
  gradviz sample gradviz-runs/my-run        read what it writes when it is let go
  gradviz dashboard                         look at everything that was recorded

gradviz COMMAND --help explains a command and lists its flags.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no "→" shall not end a command
            stream.reconfigure(errors="replace")
    typed = _hyphens(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(typed)
    except GradvizError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _interrupted(None)
    except BrokenPipeError:  # the reader of a pipe, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(typed: list[str]) -> int:
    from gradviz.commands import COMMANDS  # loads NumPy, so not before the thread count is set

    _extend(typed)
    top = _parser()
    parsers = top.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands = {name: COMMANDS[name]() for name in COMMANDS}
    for name, command in commands.items():
        parser = parsers.add_parser(
            name, help=command.summary, description=command.details or command.summary, formatter_class=_Help, allow_abbrev=False
        )
        command.arguments(parser)
        if name in typed:
            command.late_arguments(parser, typed[typed.index(name) + 1 :])
        _add_extend(parser)
    chosen, rest = top.parse_known_args(typed)
    if rest:
        raise _unknown_flag(rest[0], chosen.command, parsers.choices)
    if chosen.command is None:
        top.print_help()
        return 0
    try:
        return commands[chosen.command].run(chosen) or 0
    except KeyboardInterrupt:
        return _interrupted(getattr(chosen, "out", None))


def _interrupted(out: Path | None) -> int:
    """Say where to find what was recorded, and return the exit status."""
    where = f" {shlex.quote(str(out))}" if out is not None and out.is_dir() else ""
    print(
        f"\ngradviz: interrupted. What was recorded so far can be read: see `gradviz runs list{where}`. A training goes on with "
        "`gradviz resume RUN`.",
        file=sys.stderr,
    )
    return 130


class _Help(argparse.RawDescriptionHelpFormatter):
    """argparse's own, with room for names such as --optimizer.momentum."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)


def _parser() -> argparse.ArgumentParser:
    description = "See gradients explode, vanish and get clipped: train RNNs, GRUs and LSTMs, record their gradients, look at them."
    parser = argparse.ArgumentParser("gradviz", description=description, epilog=START, formatter_class=_Help, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"gradviz {__version__}")
    _add_extend(parser)
    return parser


def _add_extend(parser: argparse.ArgumentParser) -> None:
    help = "a Python file that adds a cell, task, clipping rule, quantity, chart … (may be given several times)"
    parser.add_argument("--extend", action="append", metavar="FILE.py", help=help)


def _extend(typed: list[str]) -> None:
    """Load the files given with --extend before the flags are made: what they add shall be among the choices."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--extend", action="append", default=[])
    try:
        files = early.parse_known_args(typed)[0].extend
    except argparse.ArgumentError as error:
        raise GradvizError("--extend needs the path of a Python file.") from error
    if files:
        from gradviz import extend  # loads pandas, so only if it is needed

        for file in files:
            extend.load(Path(file).expanduser())


def _hyphens(typed: Sequence[str]) -> list[str]:
    """--reach_every and --reach-every are one flag."""
    return [re.sub(r"^--[\w.-]+", lambda found: found[0].replace("_", "-"), item) for item in typed]


def _unknown_flag(typed: str, command: str | None, parsers: dict[str, argparse.ArgumentParser]) -> GradvizError:
    where = f"gradviz {command}" if command else "gradviz"
    known = parsers[command]._option_string_actions if command else ["--help", "--version", "--extend"]
    close = difflib.get_close_matches(typed.split("=")[0], known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return GradvizError(f"unknown option {typed!r}.{hint} `{where} --help` lists all.")


if __name__ == "__main__":
    sys.exit(main())
