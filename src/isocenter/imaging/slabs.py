"""Slabs: a range of planes or columns shared among threads, for kernels that release the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from isocenter.base.errors import ConfigError


def spread(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call `work(begin, end)` for neighbouring pieces that make up 0..count, one piece a thread.

    The work on one index must not depend on the piece it is in; then the bytes are the same for any number
    of threads. One thread means the caller's own: none is started.

    Raises:
        ConfigError: fewer than one thread.
    """
    if threads < 1:
        raise ConfigError(f"threads is a number from 1, not {threads}")
    pieces = max(1, min(threads, count))
    ends = [count * n // pieces for n in range(pieces + 1)]
    if pieces == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(pieces) as pool:
        for done in [pool.submit(work, ends[n], ends[n + 1]) for n in range(pieces)]:
            done.result()
