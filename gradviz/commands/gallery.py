"""gradviz gallery: every chart there is, in one HTML file."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gradviz.commands._base import Command
from gradviz.commands._console import Bars, relative, say
from gradviz.commands._runs import OUT, check_out, readable

if TYPE_CHECKING:
    from gradviz.frames import Run

UPDATES = 60
UNITS = 24
LENGTH = 50
NAMES = ("text-rnn", "text-gru-clip", "text-lstm-clip")  # of the demo's


class Gallery(Command):
    summary = "write every chart there is into one HTML file: what it shows, needs and means, and how to make it"
    details = f"""\
Write every chart there is into one HTML file: what it shows, what it needs, how to read it, and the line that makes it.

  gradviz gallery                                    from ./{OUT}, or from small networks trained for it in seconds
  gradviz gallery gradviz-runs/text-rnn gradviz-runs/text-lstm -o two.html
  gradviz --extend my_chart.py gallery               with a chart of yours

The page has no scripts and loads nothing from any network."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders, or folders of runs; all of them are shown")
        parser.add_argument(
            "-o", "--out", type=Path, default=Path("gradviz-gallery.html"), metavar="FILE", help="default ./gradviz-gallery.html"
        )
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.frames import label_runs  # pandas, Jinja, pyarrow: not needed for --help
        from gradviz.recording.reading import find_runs
        from gradviz.reports.gallery import few, gallery

        check_out(arguments.out, arguments.force)
        if arguments.runs:
            page = gallery(label_runs(readable(arguments.runs)))
        elif Path(OUT).is_dir() and find_runs(Path(OUT)):
            chosen = few(label_runs(readable([Path(OUT)])))
            page = gallery(label_runs(chosen), origin=f"They were chosen from ./{OUT}, one for each kind of cell.")
        else:
            with _trained() as runs:
                page = gallery(runs, origin="These small networks were trained for this page and not kept; their findings mean little.")
        say(f"Written: {relative(page.write(arguments.out, force=arguments.force))}. Open it in a browser.")


@contextmanager
def _trained() -> "Iterator[list[Run]]":
    """Small networks on the built-in text, in a folder that is gone afterwards."""
    from dataclasses import replace

    from gradviz import demo
    from gradviz.frames import load_runs
    from gradviz.tasks.text import Text
    from gradviz.training import train

    say(f"No run was named, and ./{OUT} holds none: {len(NAMES)} small networks are trained for this page, which takes seconds.")
    experiments = demo.experiments()
    with TemporaryDirectory(prefix="gradviz-gallery-") as folder:
        with Bars() as bars:
            for name in NAMES:
                small = demo.shortened(experiments[name], UPDATES)
                small = replace(small, task=Text(length=LENGTH, test=0.0), model=replace(small.model, units=UNITS), name=name)
                train(small, Path(folder) / name, watch=bars)
        yield load_runs(folder)
