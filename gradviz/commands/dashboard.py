"""gradviz dashboard: recorded runs in the browser."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._runs import OUT
from gradviz.errors import GradvizError


class Dashboard(Command):
    summary = "look at recorded runs in the browser"
    details = """\
Look at recorded runs in the browser, also while they are being trained. The page is served on this machine only
and asks nothing of the network. Ctrl-C stops it. With --host other machines can come too: whoever can reach this one
can then read the runs and start trainings, without a password."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=Path(OUT), metavar="FOLDER", help=f"folder of runs (default ./{OUT})")
        parser.add_argument("--port", type=int, metavar="N", help="port to listen at (default: 8501, or a free one)")
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="address to listen at: 0.0.0.0 lets other machines in (default 127.0.0.1)",
        )
        parser.add_argument("--no-browser", action="store_true", help="only say the address")

    def run(self, arguments: argparse.Namespace) -> None:
        if not arguments.folder.exists() and arguments.folder != Path(OUT):
            raise GradvizError(f"no folder at {arguments.folder}. Record something first, with `gradviz demo` or `gradviz train`.")

        from gradviz.dashboards.launch import launch  # Streamlit: not needed for --help

        launch(arguments.folder, arguments.port, not arguments.no_browser, arguments.host)
