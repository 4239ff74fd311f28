"""The promise of a store backend: a shard file that holds whole records and gives back parts of them."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import digest_of_bytes
from isocenter.base.plugins import Plugins

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What an id or an array's name may look like: no path, whatever the file says."""

Index: TypeAlias = Any
"""What NumPy takes between square brackets: integers, slices with a positive step, an ellipsis."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What a shard keeps of one case: arrays of numbers, and facts that fit JSON.

    `meta["digests"]` holds the digest of each array's bytes.
    """

    id: str
    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """Shape and type of a stored array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ShardWriter(Protocol):
    """Takes the records of one shard, in the order of their ids."""

    def put(self, record: Record) -> None:
        """Write a new record."""

    def keep(self, old: Path, case_id: str) -> None:
        """Copy a record's compressed bytes out of another shard file, as they are."""


class ShardReader(Protocol):
    """Gives back the records of one shard file; used by one thread of one process."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the records, sorted."""

    def meta(self, case_id: str) -> dict[str, Any]:
        """A record's facts."""

    def arrays(self, case_id: str) -> dict[str, ArrayFacts]:
        """Names, shapes and types of a record's arrays."""

    def read(
        self, case_id: str, name: str, index: Index, out: NDArray[Any] | None = None, threads: int = 1
    ) -> NDArray[Any]:
        """Part of an array, in `out` where it is given; only the chunks it touches are read."""

    def close(self) -> None:
        """Let go of the file."""


class StoreBackend(Protocol):
    """A file format of shards: a module with these names.

    Contract:
        * What is put comes back, bit by bit, shape and type included.
        * The file's bytes depend on the records and the chunk alone: neither on the time, the machine's
          memory or the environment, nor on which records were put and which were kept.
        * A file under its final name is whole: it is written under another name in the same folder, read
          back, synced and renamed; a failure leaves no file and is a `StoreError`.
        * A part of an array costs the chunks it touches; chunks of integers that are all zero cost nothing.
        * A file that reaches outside itself, needs a filter or a type that a shard never has, or whose
          check sums differ is refused with `StoreCorrupt`.
    """

    suffix: str

    def create(self, path: Path, *, chunk: tuple[int, int, int]) -> AbstractContextManager[ShardWriter]:
        """Write a shard; it is under its name when the block has ended."""

    def open(self, path: Path, *, cache_bytes: int) -> ShardReader:
        """Open a shard for reading.

        Args:
            path: The file.
            cache_bytes: Bound of the tables that are kept, which say where the chunks of arrays lie; that of the array
                read last is kept in any case. Nothing that was decoded is kept.
        """


BACKENDS: Plugins[StoreBackend] = Plugins("isocenter.stores.backends")


def checked_name(name: str) -> str:
    """The name itself, where it may name a record or an array.

    Raises:
        ValueError: it may not.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a record or an array")
    return name


def digest_of_array(array: NDArray[Any]) -> str:
    """Digest of an array's bytes, in C order."""
    return digest_of_bytes(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
