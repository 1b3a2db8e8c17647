"""gradviz reproduce: a published result measured again, and a page that sets both side by side."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gradviz.commands._base import Command
from gradviz.commands._console import relative, say, show_table
from gradviz.commands._runs import check_out
from gradviz.errors import GradvizError

if TYPE_CHECKING:
    from gradviz.reproductions import Outcome

MARKS = {"agrees": "✓", "differs": "✗", "open": "·"}


class Reproduce(Command):
    summary = "measure a published result again, and set what was published beside what was found"
    details = """\
Measure a published result again, and write a page that sets what was published beside what was found.

  gradviz reproduce                                  what there is
  gradviz reproduce cliff -o cliff.html
  gradviz reproduce temporal_order --quick           a smaller version, under a minute

A difference is no error: the page says where the numbers differ, and why if that is known."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", default="", metavar="RESULT", help="which; without one they are listed")
        parser.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help="default ./gradviz-RESULT.html")
        parser.add_argument("--quick", action="store_true", help="a smaller version that takes less than a minute")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of weights and data (default 0)")
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.reports import reproduced  # pandas, Jinja: not needed for --help
        from gradviz.reproductions import REPRODUCTIONS

        if not arguments.name:
            show_table(
                [("result", "left"), ("minutes", "right"), ("what it asks", "left")],
                [(name, f"{REPRODUCTIONS[name].minutes:g}", REPRODUCTIONS[name].title) for name in REPRODUCTIONS],
            )
            return
        if arguments.seed < 0:
            raise GradvizError(f"--seed is {arguments.seed}; it must be at least 0.")
        entry = REPRODUCTIONS[arguments.name]()
        out = arguments.out or Path(f"gradviz-{arguments.name.replace('_', '-')}.html")
        check_out(out, arguments.force)
        began = time.perf_counter()
        outcome = entry.run(quick=arguments.quick, seed=arguments.seed, tell=lambda doing: say(f"{doing} …"))
        page = reproduced(entry, outcome, quick=arguments.quick, seed=arguments.seed, seconds=time.perf_counter() - began)
        _tell(outcome)
        say(f"Written: {relative(page.write(out, force=arguments.force))}. Open it in a browser.")


def _tell(outcome: "Outcome") -> None:
    say("")
    say(outcome.claim)
    say("")
    for statement in outcome.statements:
        say(f"  {MARKS[statement.agreement]} {statement.agreement}")
        say(f"      published ({statement.where}): {statement.published}")
        say(f"      measured: {statement.measured}")
        if statement.why:
            say(f"      {statement.why}")
    say("")
