"""Writing: a token is drawn from what the model thinks likely, read by it, and so on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError
from gradviz.language.choice import Choice
from gradviz.language.model import Source, log_softmax, model_of, passes
from gradviz.network import Network
from gradviz.passes import States
from gradviz.text.vocabulary import Vocabulary

PLAIN = Choice()


@dataclass(frozen=True)
class Sample:
    """prompt: as given; ids: (n,) tokens written after it, the EOS included; text: they in words, to be put behind the prompt, without the
    EOS; log_probabilities: (n,) nats that the model itself gave each of them, whatever the temperature; ended: by an EOS, and not by the
    length asked for; unknown: what of the prompt is not in the vocabulary and was read as UNK; choice, seed: as asked for, seed None if it
    was a generator.
    """

    prompt: str
    ids: Integers
    text: str
    log_probabilities: Array
    ended: bool
    unknown: list[str]
    choice: Choice = PLAIN
    seed: int | None = None


def sample(run: Source, prompt: str = "", *, length: int = 200, choice: Choice = PLAIN, seed: int | np.random.Generator = 0) -> Sample:
    """Let the model write at most `length` tokens: after a prompt that it reads first, or from nothing: x⟨1⟩ = 0, a⟨0⟩ = 0.

    It stops at an EOS, if sentences end in its vocabulary. A prompt's last sentence goes on; if the model learned sentences one by one, it
    is all that counts. The same seed writes the same text on the same machine; of a generator the draws are taken from where it stands.
    """
    writing = Writing(run, prompt, length=length, choice=choice, seed=seed)
    for _ in writing:
        pass
    return writing.sample()


class Writing(Iterator[int]):
    """A text in the making. Each `next` writes one token, gives its id, and lets the network read it; an EOS, or the length asked for,
    ends it. Arguments and draws are those of `sample`."""

    def __init__(
        self, run: Source, prompt: str = "", *, length: int = 200, choice: Choice = PLAIN, seed: int | np.random.Generator = 0
    ) -> None:
        self._model, self._seed = model_of(run), None if isinstance(seed, np.random.Generator) else int(seed)
        if length < 1:
            raise GradvizError(f"length is {length}; it must be at least 1.")
        if self._seed is not None and self._seed < 0:
            raise GradvizError(f"the seed is {seed}; it must be at least 0.")
        self.prompt, self.length, self.choice = prompt, length, choice
        self._read = self._model.vocabulary.encode(prompt, final=False)
        self._network, self._rng = self._model.fresh(), np.random.default_rng(seed)
        self._ids: list[int] = []
        self._chances: list[float] = []
        self._logs, self._states = _after(self._network, self._model.before(np.append(self._read, 0)), None)

    @property
    def ended(self) -> bool:
        """By an EOS."""
        return bool(self._ids) and self._ids[-1] == self._model.vocabulary.eos

    @property
    def done(self) -> bool:
        return self.ended or len(self._ids) == self.length

    @property
    def count(self) -> int:
        """Tokens written so far."""
        return len(self._ids)

    def __next__(self) -> int:
        if self.done:
            raise StopIteration
        token = int(self._rng.choice(len(self._logs), p=self.choice.probabilities(self._logs, self._model.vocabulary.unk)))
        self._ids.append(token)
        self._chances.append(float(self._logs[token]))
        if not self.done:
            self._logs, self._states = _after(self._network, np.array([token]), self._states)
        return token

    def sample(self) -> Sample:
        """What is written so far."""
        vocabulary, ids = self._model.vocabulary, np.array(self._ids, dtype=np.int64)
        text = _spelled(vocabulary, self.prompt, self._read, ids[:-1] if self.ended else ids)
        chances, unknown = np.array(self._chances), vocabulary.unknown(self.prompt)
        return Sample(self.prompt, ids, text, chances, self.ended, unknown, self.choice, self._seed)


def _after(network: Network, tokens: Integers, states: States | None) -> tuple[Array, States]:
    """(token,) logarithms of the probabilities of what comes after these tokens, and the states."""
    *_, last = passes(network, tokens, states)
    return log_softmax(last.outputs[-1, 0]), last.final


def _spelled(vocabulary: Vocabulary, prompt: str, read: Integers, ids: Integers) -> str:
    """What is to stand behind the prompt: between two words a space, unless the prompt ends with one."""
    behind = vocabulary.decode([*read, *ids])[len(vocabulary.decode(read)) :]
    return behind.lstrip(" ") if vocabulary.level == "word" and prompt[-1:].isspace() else behind
