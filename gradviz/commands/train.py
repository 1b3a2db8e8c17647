"""gradviz train: one network, recorded."""

import argparse
from dataclasses import replace

from gradviz.commands._base import Command
from gradviz.commands._console import Bars
from gradviz.commands._runs import add_where, finish, with_text
from gradviz.flags import add_flags, all_flags, experiments, given_in
from gradviz.naming import check_name, free, name_of


class Train(Command):
    summary = "train one network and record its gradients"
    details = """\
Train one network and record its gradients.

  gradviz train                                      an LSTM on a built-in English text
  gradviz train my.txt --cell rnn --clipping norm    an RNN with clipping on a text of yours
  gradviz train --task numbers --updates 800         an encoder and a decoder that spell numbers
  gradviz train --task adding --task.length 150 --cell gru --updates 400

A flag with a dot is an option of the thing before the dot: --clipping.limit belongs to --clipping norm."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.usage = "gradviz train [TEXT] [--FLAG VALUE …]"
        add_where(parser)
        add_flags(parser, all_flags())

    def run(self, arguments: argparse.Namespace) -> None:
        flags = all_flags()
        given = with_text(given_in(arguments, flags), arguments.text)
        ((_, experiment),) = experiments(flags, given)
        folder = arguments.out / check_name(experiment.name) if experiment.name else free(arguments.out / name_of(experiment))

        from gradviz.frames import load  # pandas and pyarrow: not needed for --help
        from gradviz.text.progress import told
        from gradviz.training import train

        with Bars() as bars, told(bars.reading):
            made = train(replace(experiment, name=folder.name), folder, watch=bars, force=arguments.force)
        finish([load(made)], arguments.out)
