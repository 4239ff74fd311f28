"""Garbage: what was there before some work is not looked through for cycles again and again while it goes on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def known_to_stay() -> Iterator[None]:
    """Leave everything that is there out of garbage collection meanwhile: modules alone are some 100,000 objects."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
