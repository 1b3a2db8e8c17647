"""Weights exchanged with other frameworks, without importing them: plain arrays and .safetensors files. No pickle."""

from gradviz.bridges.files import load_weights, save_weights
from gradviz.bridges.layout import Prefixes
from gradviz.bridges.weights import from_torch, to_torch

__all__ = ["Prefixes", "from_torch", "load_weights", "save_weights", "to_torch"]
