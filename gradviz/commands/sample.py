"""gradviz sample: a language model writes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gradviz.commands._base import Command
from gradviz.commands._console import printable, relative, say
from gradviz.commands._language import add_weights, remark, unknown
from gradviz.naming import check_name, free

if TYPE_CHECKING:
    from gradviz.language import Sample

DEFAULT = ""  # --trace without a name


class Sampling(Command):
    summary = "let a trained language model write"
    details = """\
Let a trained language model write: each token is drawn from what the network thinks likely, and read by it before the next one.

  gradviz sample gradviz-runs/text-lstm
  gradviz sample gradviz-runs/text-lstm --prompt "The " --temperature 0.5 --length 400
  gradviz sample gradviz-runs/text-lstm --trace      also record every gate and state while it writes

The text goes to the standard output, remarks go beside it."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
        parser.add_argument("--prompt", default="", metavar="TEXT", help="what the network reads first (default nothing)")
        parser.add_argument(
            "--temperature", type=float, default=1.0, metavar="X", help="below 1 likelier, above 1 bolder; 0 the likeliest (1)"
        )
        parser.add_argument("--top-k", type=int, default=0, metavar="N", help="only the N likeliest tokens; 0 all (0)")
        parser.add_argument(
            "--top-p", type=float, default=1.0, metavar="X", help="only the likeliest that together have this probability (1)"
        )
        parser.add_argument("--length", type=int, default=200, metavar="N", help="tokens, at most (200)")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed writes the same text (0)")
        parser.add_argument(
            "--unknown", action="store_true", help="let it write <UNK>, too, which stands for tokens outside of the vocabulary"
        )
        add_weights(parser)
        parser.add_argument(
            "--trace",
            nargs="?",
            const=DEFAULT,
            metavar="NAME",
            help="record what goes on meanwhile as a run beside RUN (default RUN-trace)",
        )
        parser.add_argument("--force", action="store_true", help="replace a run of the --trace's NAME")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.language import Choice, LanguageModel, sample  # safetensors and pyarrow: not needed for --help

        choice = Choice(arguments.temperature, arguments.top_k, arguments.top_p, not arguments.unknown)
        model = LanguageModel.load(arguments.run, arguments.weights)
        said = sample(model, arguments.prompt, length=arguments.length, choice=choice, seed=arguments.seed)
        say(_shown(said.prompt + said.text))
        count = f"{len(said.ids)} token{'' if len(said.ids) == 1 else 's'}"
        remark(f"ended by itself after {count}." if said.ended else f"stopped after {count}, the --length.")
        unknown(said.unknown)
        if arguments.trace is not None:
            remark(f"recorded in {relative(_traced(arguments, said))}.")


def _shown(text: str) -> str:
    """Lines stay lines; nothing else can steer a terminal."""
    return "\n".join(printable(line.expandtabs()) for line in text.split("\n"))


def _traced(arguments: argparse.Namespace, said: "Sample") -> Path:
    from gradviz.language import trace

    run, name = arguments.run.resolve(), arguments.trace
    folder = free(run.with_name(f"{run.name}-trace")) if name == DEFAULT else run.with_name(check_name(name, "--trace"))
    return trace(run, said, folder, weights=arguments.weights, force=arguments.force)
