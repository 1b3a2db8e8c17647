"""What a trained language model says: of sentences, by itself, and unit by unit."""

from gradviz.language.choice import Choice
from gradviz.language.model import LanguageModel
from gradviz.language.pull import connectivity, connectivity_all
from gradviz.language.sampling import Sample, Writing, sample
from gradviz.language.sentence import SentenceProbability, probability
from gradviz.language.states import activations
from gradviz.language.trace import trace
from gradviz.language.units import Ranking, respond

__all__ = [
    "Choice",
    "LanguageModel",
    "Ranking",
    "Sample",
    "SentenceProbability",
    "Writing",
    "activations",
    "connectivity",
    "connectivity_all",
    "probability",
    "respond",
    "sample",
    "trace",
]
