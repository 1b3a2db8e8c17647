"""A small language model in PyTorch that learns to write, character by character, watched by gradviz.

    python examples/watch_pytorch.py                    # about two minutes; then open watched/report.html
    python examples/watch_pytorch.py --cell RNN --clip 0

It is an ordinary training loop with two lines more, marked with +, and ends in the report that `gradviz demo` writes of its own networks.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

import gradviz
from gradviz.text.corpus import built_in
from gradviz.text.tokenizer import Characters

LENGTH, SIZE, UNITS = 100, 32, 64


class Speaker(nn.Module):
    """Embedding, a recurrent layer, and the scores of every next character."""

    def __init__(self, cell: str, kinds: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(kinds, 32)
        self.rnn = getattr(nn, cell)(32, UNITS)
        self.readout = nn.Linear(UNITS, kinds)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        states, _ = self.rnn(self.embedding(tokens))
        return self.readout(states)


def batch(text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Passages of the text (time, batch), and the characters that follow each of theirs."""
    starts = torch.randint(len(text) - LENGTH - 1, (SIZE,))
    passages = torch.stack([text[start : start + LENGTH + 1] for start in starts], dim=1)
    return passages[:-1], passages[1:]


def main(arguments: Sequence[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=("RNN", "GRU", "LSTM"), default="LSTM")
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--clip", type=float, default=0.5, help="largest norm of the gradient; 0 does not clip")
    parser.add_argument("--out", type=Path, default=Path("watched"), help="folder of the run and the report")
    said = parser.parse_args(arguments)

    torch.manual_seed(0)
    torch.set_num_threads(1)  # the products are small: two threads would wait for each other
    words = "".join(built_in().pieces())
    vocabulary = Characters.of(words)
    text = torch.from_numpy(vocabulary.encode(words)).long()
    model = Speaker(said.cell, len(vocabulary))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    with gradviz.watch(model, said.out / said.cell.lower(), every=20, force=True) as run:  # +
        for _ in range(said.updates):
            inputs, targets = batch(text)
            loss = nn.functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            if said.clip:
                nn.utils.clip_grad_norm_(model.parameters(), said.clip)
            optimizer.step()
            run.step(loss, words=[vocabulary.visible(inputs[:, k].numpy()) for k in range(2)])  # +

    return gradviz.report(gradviz.load_runs(said.out), kind="demo").write(said.out / "report.html", force=True)


if __name__ == "__main__":
    print(f"written: {main()}")
