"""Writing: a token is drawn from what the model thinks likely, read by it, and so on."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError
from gradviz.language.choice import Choice
from gradviz.language.model import LanguageModel, Source, log_softmax, model_of, passes
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
    model, number = model_of(run), None if isinstance(seed, np.random.Generator) else int(seed)
    if length < 1:
        raise GradvizError(f"length is {length}; it must be at least 1.")
    if number is not None and number < 0:
        raise GradvizError(f"the seed is {seed}; it must be at least 0.")
    vocabulary = model.vocabulary
    read = vocabulary.encode(prompt, final=False)
    ids, logs = _written(model, read, length, choice, np.random.default_rng(seed))
    ended = bool(ids[-1] == vocabulary.eos)
    text = _spelled(vocabulary, prompt, read, ids[:-1] if ended else ids)
    return Sample(prompt, ids, text, logs, ended, vocabulary.unknown(prompt), choice, number)


def _written(model: LanguageModel, read: Integers, length: int, choice: Choice, rng: np.random.Generator) -> tuple[Integers, Array]:
    network, vocabulary = model.fresh(), model.vocabulary
    ids, chances = [], []
    logs, states = _after(network, model.before(np.append(read, 0)), None)
    for _ in range(length):
        token = int(rng.choice(len(logs), p=choice.probabilities(logs, vocabulary.unk)))
        ids.append(token)
        chances.append(logs[token])
        if token == vocabulary.eos or len(ids) == length:
            break
        logs, states = _after(network, np.array([token]), states)
    return np.array(ids), np.array(chances)


def _after(network: Network, tokens: Integers, states: States | None) -> tuple[Array, States]:
    """(token,) logarithms of the probabilities of what comes after these tokens, and the states."""
    *_, last = passes(network, tokens, states)
    return log_softmax(last.outputs[-1, 0]), last.final


def _spelled(vocabulary: Vocabulary, prompt: str, read: Integers, ids: Integers) -> str:
    """What is to stand behind the prompt: between two words a space, unless the prompt ends with one."""
    behind = vocabulary.decode([*read, *ids])[len(vocabulary.decode(read)) :]
    return behind.lstrip(" ") if vocabulary.level == "word" and prompt[-1:].isspace() else behind
