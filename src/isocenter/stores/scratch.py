"""Scratch: memory that a thread decodes in, kept from one part to the next, since fresh pages cost more than decoding."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

_MOST_KEPT = 32 << 20
_local = threading.local()


def scratch(name: str, size: int) -> NDArray[np.uint8]:
    """At least so many bytes for a purpose, whatever they held; good until this thread asks for the same again."""
    kept: NDArray[np.uint8] | None = getattr(_local, name, None)
    if kept is None or kept.size < size:
        kept = np.empty(size, np.uint8)
        if size <= _MOST_KEPT:
            setattr(_local, name, kept)
    return kept
