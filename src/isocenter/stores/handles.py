"""Handles: open shard files, one set per process and thread, none of which is ever pickled or inherited."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isocenter.stores.shard import BACKENDS, Index, ShardReader, StoreBackend

_OPEN_SHARDS = 8


class Handles:
    """Readers of shard files, opened on first use and the least recently used of them closed.

    A forked child opens its own (a handle shared across a fork reads wrong data, h5py's FAQ), and so does
    each thread.

    Args:
        backend: Name of the file format.
        cache_bytes: Bound of the decoded chunks that one thread holds.
    """

    def __init__(self, backend: str, cache_bytes: int) -> None:
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
