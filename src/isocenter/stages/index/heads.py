"""The first bytes of many files, read as fast as the system hands them out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.bulk import CHANGED, packed_names, read_heads
from isocenter.base.errors import FormatError
from isocenter.base.regular import read_piece
from isocenter.formats.header_reader import Heads, ReadMore

# Most headers end before: the rest of the page would be read anyway, pixel data need not be.
HEAD_BYTES = 8192


@dataclass(frozen=True, slots=True, eq=False)
class OpenedHeads:
    """The heads of some files, and by number why a file could not be read."""

    heads: Heads
    failed: dict[int, FormatError]

    def bytes_of(self, number: int) -> bytes:
        """The first bytes of one file."""
        start = int(self.heads.starts[number])
        return self.heads.arena[start : start + int(self.heads.counts[number])].tobytes()


class HeadReader:
    """Reads heads into one piece of memory that is used again and again.

    Args:
        files: How many files at most are read at once.
    """

    def __init__(self, files: int) -> None:
        self._arena = np.empty(files * HEAD_BYTES, np.uint8)

    def read(self, root: str, paths: Sequence[str], listed: NDArray[np.int64]) -> OpenedHeads:
        """The heads of regular files that are what they were when they were listed.

        Args:
            root: The folder that the paths start from.
            paths: The files, as a file system has them.
            listed: Size, time (ns), inode and device of each, (N, 4).
        """
        names = packed_names(os.fsencode("\0".join(paths)) + b"\0")
        counts = read_heads(root, names, listed, self._arena, HEAD_BYTES)
        failed = {int(n): _failure(int(counts[n])) for n in np.flatnonzero(counts < 0)}
        starts = np.arange(len(paths), dtype=np.int64) * HEAD_BYTES
        heads = Heads(self._arena, starts, np.maximum(counts, 0), listed[:, 0].copy(), _more_of(root, paths))
        return OpenedHeads(heads, failed)


def heads_of(
    heads: Sequence[bytes], sizes: Sequence[int], more: ReadMore, failed: dict[int, FormatError]
) -> OpenedHeads:
    """Heads that were read by other means."""
    counts = np.array([len(h) for h in heads], np.int64)
    arena: NDArray[np.uint8] = np.frombuffer(b"".join(heads), np.uint8)
    starts = np.cumsum(counts) - counts
    return OpenedHeads(Heads(arena, starts, counts, np.array(sizes, np.int64), more), failed)


def _failure(count: int) -> FormatError:
    if count == CHANGED:
        return FormatError("file/changed", "the file changed after it was listed")
    return FormatError("file/unreadable", "the file cannot be opened")


def _more_of(root: str, paths: Sequence[str]) -> ReadMore:
    def more(number: int, offset: int, count: int) -> bytes:
        with suppress(OSError):
            return read_piece(os.path.join(root, paths[number]), offset, count)  # noqa: PTH118 - the quickest way
        return b""

    return more
