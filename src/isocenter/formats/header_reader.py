"""The promise of a header reader: the fast twin of an image format's `scan`, for many files at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.base.plugins import Plugins
from isocenter.formats.limits import Limits

# More of one file: (number of the file, offset, count) -> its bytes there, fewer only at its end.
ReadMore = Callable[[int, int, int], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The first bytes of some files.

    Args:
        arena: Bytes of all files, one after the other.
        starts: Where each file's bytes begin in the arena, (N,).
        counts: How many of its bytes are there, (N,).
        sizes: Size of each file, (N,).
        more: Reads on in a file whose head is not enough.
    """

    arena: NDArray[np.uint8]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    more: ReadMore


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of texts as Arrow lays them out: UTF-8 bytes, and where each one begins, (N + 1,)."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    is_valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column of float64 or int64 numbers, or of booleans, (N,)."""

    values: NDArray[Any]
    is_valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A column of tuples: their items one after the other, and where each tuple begins, (N + 1,)."""

    items: Numbers | Texts
    offsets: NDArray[np.int32]


Column = Texts | Numbers | Lists


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """What was understood of some files.

    Args:
        is_known: Which of the files these are, (N,); the others are left to `ImageFormat.scan`.
        kinds: Kind of each known file, in order.
        columns: One column per field of `Instance` but `file_id`, `source`, `site`, `path` and `kind`, one row per known
            file, in order; a field that is not there has its default everywhere.
    """

    is_known: NDArray[np.bool_]
    kinds: list[str]
    columns: dict[str, Column]


class HeaderReader(Protocol):
    """Reads the headers of many files of the image format of the same name.

    Contract:
        * A known file has the kind and the row that `ImageFormat.scan` would have given, field by field.
        * What it does not understand completely, or what is beyond a limit, it leaves out, never half.
        * It reads no pixel data and never raises for anything that is in a file.
    """

    def read(self, heads: Heads, limits: Limits) -> Headers:
        """Read the headers of those files that are understood."""


HEADER_READERS: Plugins[HeaderReader] = Plugins("isocenter.formats.header_readers")
