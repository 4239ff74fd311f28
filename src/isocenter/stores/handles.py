"""Handles: open shard files, one set per process and thread, none of which is ever pickled or inherited."""

from __future__ import annotations

import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isocenter.stores.layout import is_truth
from isocenter.stores.lazy import LazyArray
from isocenter.stores.shard import BACKENDS, Index, ShardReader, StoreBackend

CACHE_BYTES = 256 << 20
"""Bound of what a thread remembers of where chunks lie, unless a store is opened with another."""

_OPEN_SHARDS = 8


class Handles:
    """Readers of shard files, opened on first use and the least recently used of them closed.

    A forked child opens its own (a handle shared across a fork reads wrong data, h5py's FAQ), and so does
    each thread.

    Args:
        backend: Name of the file format.
        cache_bytes: Bound of the tables that one thread keeps, which say where chunks lie.
    """

    def __init__(self, backend: str, cache_bytes: int = CACHE_BYTES) -> None:
        self._backend = backend
        self._cache_bytes = cache_bytes
        self._local = threading.local()

    def reader(self, path: Path) -> ShardReader:
        """The open reader of a shard file."""
        readers = self._readers()
        if path not in readers:
            backend: StoreBackend = BACKENDS.get(self._backend)
            readers[path] = backend.open(path, cache_bytes=self._cache_bytes // _OPEN_SHARDS)
            if len(readers) > _OPEN_SHARDS:
                readers.popitem(last=False)[1].close()
        readers.move_to_end(path)
        return readers[path]

    def arrays(
        self, path: Path, case_id: str, digests: Mapping[str, str] | None = None
    ) -> dict[str, LazyArray]:
        """Arrays of a record as they are stored, none of them read yet.

        Args:
            path: The shard file.
            case_id: The record.
            digests: What arrays that are read as a whole are compared with, by name.
        """
        return {
            name: LazyArray(
                functools.partial(self.read, path, case_id, name),
                facts,
                name=f"{case_id} {name}",
                is_mask=is_truth(name),
                digest=(digests or {}).get(name, ""),
            )
            for name, facts in self.reader(path).arrays(case_id).items()
        }

    def read(
        self,
        path: Path,
        case_id: str,
        name: str,
        index: Index,
        out: NDArray[Any] | None = None,
        threads: int = 1,
    ) -> NDArray[Any]:
        """Part of an array of a record, in `out` where it is given."""
        return self.reader(path).read(case_id, name, index, out, threads)

    def close(self) -> None:
        """Close what this thread has opened."""
        readers = self._readers()
        while readers:
            readers.popitem()[1].close()

    def _readers(self) -> OrderedDict[Path, ShardReader]:
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.pid = os.getpid()
            self._local.readers = OrderedDict()
        readers: OrderedDict[Path, ShardReader] = self._local.readers
        return readers

    def __reduce__(self) -> tuple[type[Handles], tuple[str, int]]:
        return type(self), (self._backend, self._cache_bytes)
