"""LMDB shards: one environment in one file, one value for each chunk, each with a check sum of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt, StoreError, StoreNotFound
from isocenter.stores import chunks
from isocenter.stores.filesystems import is_remote, kind_of
from isocenter.stores.pages import Pages, Value
from isocenter.stores.recent import Recent
from isocenter.stores.sealing import sealing, writing
from isocenter.stores.shard import ArrayFacts, Index, Record, checked_name
from isocenter.stores.values import (
    MAX_KEY_BYTES,
    SEPARATOR,
    StoredArray,
    chunk_key,
    chunks_key,
    head_key,
    head_of,
    payload_of,
    read_head,
    sealed_value,
)

suffix = "lmdb"

_FIRST_MAP_BYTES = 1 << 20
_SHARE_OF_HEADS = 8  # a chunk takes 1 byte in the head of its record and 16 in the table of its array
_RUN_BYTES = 4 << 20
_PER_VALUE_BYTES = 1 << 13  # more than its key, its share of a page, and the rest of its last page


class Writer:
    """Writes records to an environment: one transaction for each, its keys in their order."""

    def __init__(self, environment: Any, name: str, chunk: tuple[int, int, int]) -> None:
        self._environment = environment
        self._name = name
        self._chunk = chunk
        self._last = ""
        self.ids: list[str] = []

    def put(self, record: Record) -> None:
        """Write a new record."""
        self._next(record.id)
        found = {checked_name(n): np.ascontiguousarray(record.arrays[n]) for n in sorted(record.arrays)}
        for name, array in found.items():
            if array.dtype.kind not in "iuf" or not array.size:
                raise ValueError(
                    f"{name}: an array of a record holds numbers, not {array.dtype} {array.shape}"
                )
        arrays = {n: self._empty(a) for n, a in found.items()}
        head_bytes = len(head_of(arrays, record.meta))
        most = sum(a.nbytes + arrays[n].filled.size * _PER_VALUE_BYTES for n, a in found.items())
        with self._transaction(most + head_bytes) as put:
            for name, stored in arrays.items():
                for position, payload in chunks.cut(found[name], stored.chunk):
                    number = stored.number(position)
                    stored.filled[number] = True
                    put(chunk_key(record.id, name, number), payload)
            put(head_key(record.id), head_of(arrays, record.meta))
        self.ids.append(record.id)

    def keep(self, old: Path, case_id: str) -> None:
        """Copy a record's compressed bytes out of another shard file, as they are."""
        self._next(case_id)
        with closing(open(old, cache_bytes=0)) as reader:
            values = reader.values(case_id)
            with self._transaction(sum(v.size + _PER_VALUE_BYTES for v in values)) as put:
                for value in values:
                    put(value.key, reader.payload(value))
        self.ids.append(case_id)

    def _next(self, case_id: str) -> None:
        if checked_name(case_id) <= self._last:
            raise ValueError(f"records come in the order of their ids: {case_id} after {self._last}")
        self._last = case_id

    def _empty(self, array: NDArray[Any]) -> StoredArray:
        chunk = chunks.grid(array.shape, array.dtype, self._chunk)
        bare = StoredArray(ArrayFacts(array.shape, array.dtype), chunk, np.zeros(0, np.bool_))
        return StoredArray(bare.facts, chunk, np.zeros(int(np.prod(bare.counts)), np.bool_))

    @contextmanager
    def _transaction(self, most_bytes: int) -> Iterator[Callable[[bytes, bytes | memoryview], None]]:
        """Put values of at most so many bytes; the map has grown before, and so is never full."""
        with writing(self._name, lmdb.Error):
            used, page = self._environment.info(), self._environment.stat()["psize"]
            needed = (used["last_pgno"] + 64) * page + most_bytes + most_bytes // 8
            if needed > used["map_size"]:
                self._environment.set_mapsize(-(-max(needed, 2 * used["map_size"]) // page) * page)
            with self._environment.begin(write=True) as transaction:

                def put(key: bytes, payload: bytes | memoryview) -> None:
                    if len(key) > MAX_KEY_BYTES:
                        raise ValueError(f"{key[:32]!r}... is too long a name for a shard of LMDB")
                    transaction.put(key, sealed_value(key, payload), append=True)

                yield put


class Reader:
    """Reads the records of one file; what is not of the kind we write is refused.

    The file is read, not mapped into memory: where it is damaged, cut off or on a failing disk, that is an error and
    never a signal. Nothing decoded is held; of the index only what was used last.

    Args:
        path: The file.
        cache_bytes: Bound of what is remembered of records and of the places of chunks, but for what was read last.
    """

    def __init__(self, path: Path, cache_bytes: int) -> None:
        self._name = path.name
        self._fd = -1
        self._held: Recent[str, dict[str, StoredArray]] = Recent(cache_bytes // _SHARE_OF_HEADS)
        self._tables: Recent[tuple[str, str], NDArray[np.int64]] = Recent(
            cache_bytes - cache_bytes // _SHARE_OF_HEADS
        )
        with self._refusing(""):
            self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            try:
                self._pages = Pages(self._fd)
            except BaseException:
                self.close()
                raise
            if hasattr(os, "posix_fadvise"):  # what lies beside a patch is not wanted
                os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_RANDOM)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the records, sorted."""
        out: list[str] = []
        with self._refusing(""):
            found = self._pages.first_since(b"")
            while found is not None:
                out.append(found.key.partition(SEPARATOR)[0].decode())
                found = self._pages.first_since(out[-1].encode() + b"\1")
        return tuple(out)

    def meta(self, case_id: str) -> dict[str, Any]:
        """A record's facts."""
        with self._refusing(case_id):
            return self._head(case_id)[1]

    def arrays(self, case_id: str) -> dict[str, ArrayFacts]:
        """Names, shapes and types of a record's arrays."""
        with self._refusing(case_id):
            return {n: a.facts for n, a in self._arrays(case_id).items()}

    def read(
        self, case_id: str, name: str, index: Index, out: NDArray[Any] | None = None, threads: int = 1
    ) -> NDArray[Any]:
        """Part of an array; only the chunks it touches are read."""
        with self._refusing(f"{case_id} {name}"):
            array = self._arrays(case_id)[name]
            table = self._table(case_id, name)

        def fetch(positions: list[tuple[int, ...]]) -> Sequence[memoryview | None]:
            numbers = [array.number(p) for p in positions]
            return self._payloads(chunks_key(case_id, name), table, numbers)

        try:
            return chunks.read(fetch, array.facts, array.chunk, index, out, threads)
        except StoreCorrupt as error:
            raise StoreCorrupt(f"{self._name} {case_id} {name}: {error}") from None

    def values(self, case_id: str) -> list[Value]:
        """Where everything that belongs to a record lies, in the order of the keys."""
        with self._refusing(case_id):
            for name in self._arrays(case_id):
                self._table(case_id, name)  # nothing is missing
            return list(self._pages.beginning_with(case_id.encode() + SEPARATOR))

    def payload(self, value: Value) -> memoryview:
        """What a value holds, after its check sum has been compared."""
        with self._refusing(""):
            return payload_of(value.key, memoryview(self._bytes(value.offset, value.size)))

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _arrays(self, case_id: str) -> dict[str, StoredArray]:
        arrays = self._held.get(case_id)
        if arrays is None:
            arrays = self._head(case_id)[0]
            self._held.put(case_id, arrays, sum(a.filled.nbytes + 1000 for a in arrays.values()))
        return arrays

    def _head(self, case_id: str) -> tuple[dict[str, StoredArray], dict[str, Any]]:
        key = head_key(case_id)
        found = self._pages.first_since(key)
        if found is None or found.key != key:
            raise StoreCorrupt("is no record of this shard")
        return read_head(payload_of(key, memoryview(self._bytes(found.offset, found.size))))

    def _table(self, case_id: str, name: str) -> NDArray[np.int64]:
        """Offset and size of the value of each chunk; -1 for chunks of zeros, which are not stored."""
        table = self._tables.get((case_id, name))
        if table is None:
            filled = self._arrays(case_id)[name].filled
            found = list(self._pages.beginning_with(chunks_key(case_id, name)))
            numbers = np.array([int.from_bytes(v.key[-4:], "big") for v in found], np.int64)
            if not np.array_equal(numbers, np.flatnonzero(filled)):
                raise StoreCorrupt("a chunk is missing, or was not there before")
            table = np.full((filled.size, 2), -1, np.int64)
            table[numbers, 0] = [v.offset for v in found]
            table[numbers, 1] = [v.size for v in found]
            self._tables.put((case_id, name), table, table.nbytes)
        return table

    def _payloads(
        self, prefix: bytes, table: NDArray[np.int64], numbers: list[int]
    ) -> list[memoryview | None]:
        """Payloads of chunks; those that lie one after the other are read at once."""
        wanted = sorted((int(table[n, 0]), int(table[n, 1]), n) for n in set(numbers) if table[n, 0] >= 0)
        out: dict[int, memoryview] = {}
        for run in _runs(wanted):
            start, end = run[0][0], run[-1][0] + run[-1][1]
            data = memoryview(self._bytes(start, end - start))
            for offset, size, n in run:
                value = data[offset - start : offset - start + size]
                out[n] = payload_of(prefix + n.to_bytes(4, "big"), value)
        return [out.get(n) for n in numbers]

    def _bytes(self, offset: int, size: int) -> bytes:
        try:
            data = os.pread(self._fd, size, offset)
        except OSError:
            raise StoreCorrupt("cannot be read from the disk") from None
        if len(data) != size:
            raise StoreCorrupt("is cut off")
        return data

    @contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """Whatever a broken file leads to becomes one kind of error, without a path in it."""
        try:
            yield
        except FileNotFoundError:
            raise StoreNotFound(f"shard {self._name} is missing") from None
        except StoreCorrupt as error:
            raise StoreCorrupt(f"{' '.join(filter(None, (self._name, what)))}: {error}") from None
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise StoreCorrupt(f"{self._name} {what}: cannot be read ({type(error).__name__})") from None


def _runs(places: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Places (offset, size, number) in groups that lie close enough together to be read at once."""
    run: list[tuple[int, int, int]] = []
    for place in places:
        end = run[-1][0] + run[-1][1] if run else 0
        if run and (place[0] - end > _PER_VALUE_BYTES or place[0] + place[1] - run[0][0] > _RUN_BYTES):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _check_place(folder: Path, name: str) -> None:
    """Refuse to write where a memory map does not see what was written, or not in time.

    Raises:
        StoreError: the folder lies on another machine (lmdb.h: "Do not use LMDB databases on remote filesystems").
    """
    kind = kind_of(folder)
    if is_remote(kind):
        raise StoreError(
            f"{name} cannot be written: its folder lies on {kind}, and LMDB writes safely to a local disk only; "
            "use a workspace on a local disk and copy the store when it is sealed, or choose the backend hdf5"
        )


@contextmanager
def create(path: Path, *, chunk: tuple[int, int, int]) -> Iterator[Writer]:
    """Write a shard; it is under its name when the block has ended."""
    _check_place(path.parent, path.name)
    ids: list[str] = []
    with sealing(path, lambda written: open(written, cache_bytes=0), ids) as scratch:
        growing = scratch.with_name(f"{scratch.name}.growing")
        with writing(path.name, lmdb.Error):
            environment = _environment(growing, _FIRST_MAP_BYTES)
        with closing(environment):
            writer = Writer(environment, path.name, chunk)
            yield writer
            ids += writer.ids
        with (
            writing(path.name, lmdb.Error),
            scratch.open("xb") as file,
            # opened again, as the size of the map is in the file: now it is that of the content
            closing(_environment(growing, growing.stat().st_size)) as environment,
        ):
            environment.copyfd(file.fileno(), compact=True)
        with writing(path.name):
            growing.unlink()


def open(path: Path, *, cache_bytes: int) -> Reader:  # noqa: A001 - the promise's name
    """Open a shard for reading; `cache_bytes` bound the tables it keeps, which say where chunks lie."""
    return Reader(path, cache_bytes)


def _environment(path: Path, map_bytes: int) -> Any:
    """An environment of one file that only this process knows: no lock, and nothing synced before the seal."""
    return lmdb.open(
        os.fspath(path), map_size=map_bytes, subdir=False, lock=False, sync=False, metasync=False, max_dbs=0
    )
