"""Random streams keyed by item and purpose, never by worker or order."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """The generator of one purpose, e.g. `stream(seed, "split", subject)`: same words, same numbers."""
    text = "\x1f".join([str(seed), *map(str, purpose)])
    key = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def fraction(seed: int, *purpose: str | int) -> float:
    """A number in [0, 1) for one purpose: a stable lot drawn without making a generator."""
    text = "\x1f".join([str(seed), *map(str, purpose)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") / 2**64
