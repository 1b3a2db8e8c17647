"""gradviz lesson: a lesson as one HTML file."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import relative, say, show_table
from gradviz.commands._runs import check_out, make_folder
from gradviz.errors import GradvizError

ALL = "all"


class Lesson(Command):
    summary = "write a lesson on recurrent networks into one HTML file"
    details = """\
Write a lesson into one HTML file that can be read without any program: text, equations in two notations, questions,
and pictures of which one control stays alive. `gradviz dashboard` has the same lessons with every control.

  gradviz lesson                           which there are
  gradviz lesson vanishing                 ./lesson-vanishing.html
  gradviz lesson gru -o gates.html
  gradviz lesson all -o lessons            all of them, linked with each other, in one folder"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", default="", metavar="NAME", help="which, or all; without one they are listed")
        parser.add_argument(
            "-o", "--out", type=Path, default=None, metavar="FILE", help="default ./lesson-NAME.html; a folder for all (default ./lessons)"
        )
        parser.add_argument("--force", action="store_true", help="replace files that exist")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.lessons import LESSONS, ordered  # NumPy, pandas: not needed for --help

        if not arguments.name:
            columns = (("lesson", "left"), ("title", "left"), ("afterwards you can", "left"))
            show_table(columns, [(name, one.title, one.goal) for name, one in ordered().items()], ("title",))
            return
        name = arguments.name.replace("-", "_")
        if name == ALL:
            _write_all(arguments.out or Path("lessons"), arguments.force)
            return
        LESSONS[name]  # an unknown one is an error that lists them
        out = arguments.out or Path(f"lesson-{name}.html")
        check_out(out, arguments.force)

        from gradviz.reports.lesson import lesson  # Jinja

        say(f"Written: {relative(lesson(name).write(out, force=arguments.force))}. Open it in a browser.")


def _write_all(folder: Path, force: bool) -> None:
    """Every lesson, named so that their links find each other."""
    from gradviz.lessons import ordered
    from gradviz.reports.lesson import lesson

    make_folder(folder)
    there = [name for name in ordered() if (folder / f"{name}.html").exists()]
    if there and not force:
        raise GradvizError(f"{folder} holds {there[0]}.html already. Say --force to replace lessons there, or give another folder.")
    for name in ordered():
        lesson(name).write(folder / f"{name}.html", force=force)
    say(f"Written: {len(ordered())} lessons in {relative(folder)}. Open {next(iter(ordered()))}.html there in a browser.")
