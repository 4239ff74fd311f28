"""Garbage: what was there before some work is not looked through for cycles again and again while it goes on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many new objects are looked through at once, and not some hundred each time.
_AT_ONCE = 50_000


@contextmanager
def known_to_stay() -> Iterator[None]:
    """Leave everything that is there out of garbage collection meanwhile: modules alone are some 100,000 objects."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_AT_ONCE, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
