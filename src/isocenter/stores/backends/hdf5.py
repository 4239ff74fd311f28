"""HDF5 shards: lz4 with bit shuffle, readable by whoever has h5py and hdf5plugin."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import canonical_json, digest_of_parts
from isocenter.base.errors import StoreCorrupt, StoreNotFound
from isocenter.base.files import write_atomically
from isocenter.stores import chunks
from isocenter.stores.part import Part
from isocenter.stores.placed import Placed, read_contents, read_part, read_payloads
from isocenter.stores.scratch import scratch
from isocenter.stores.sealing import writing
from isocenter.stores.shard import NAME, ArrayFacts, Index, Record, checked_name

suffix = "h5"

META = "meta"
"""The dataset (UTF-8 JSON as bytes) that holds a record's facts; the others are its arrays."""

_VERSION = ("v110", "v110")  # readable from HDF5 1.10 on; the newest would change with the library
_FILTERS = [hdf5plugin.BLOSC_ID, h5py.h5z.FILTER_FLETCHER32]
_MAX_CHUNK_BYTES = 256 << 20
_MAX_ARRAY_BYTES = 64 << 30
_KNOWN_RECORDS = 1024


class Writer:
    """Writes records to an HDF5 file that is open for writing.

    Chunks are compressed here and handed to HDF5 as they are; those of a kept record go the same way, so that both
    leave the same bytes.

    Attributes:
        contents: Of arrays that were put, the check sums of the voxels of each chunk, by case and name.
    """

    def __init__(self, file: Any, name: str, chunk: tuple[int, int, int]) -> None:
        self._file = file
        self._name = name
        self._chunk = chunk
        self._last = ""
        self.contents: dict[tuple[str, str], NDArray[np.uint32]] = {}

    def put(self, record: Record) -> None:
        """Write a new record."""
        self._next(record.id)
        text = np.frombuffer(canonical_json(record.meta).encode(), np.uint8)
        arrays = [(checked_name(n), np.ascontiguousarray(record.arrays[n])) for n in sorted(record.arrays)]
        each = [(n, a, chunks.grid(a.shape, a.dtype, self._chunk)) for n, a in [*arrays, (META, text)]]
        with writing(self._name):
            group = self._file.create_group(record.id)
            for name, array, chunk in each:
                found: list[int] = []
                payloads = _noting(chunks.encoded(array, chunk), found)
                _write(group, name, ArrayFacts(array.shape, array.dtype), chunk, payloads)
                self.contents[record.id, name] = np.array(found, np.uint32)

    def keep(self, old: Path, case_id: str) -> None:
        """Copy a record's compressed bytes out of another shard file, as they are."""
        self._next(case_id)
        reader = open(old, cache_bytes=0)
        try:
            names = [*reader.arrays(case_id), META]
            with writing(self._name):
                group = self._file.create_group(case_id)
                for name in names:
                    facts, chunk, payloads = reader.payloads(case_id, name)
                    _write(group, name, facts, chunk, payloads)
        finally:
            reader.close()

    def _next(self, case_id: str) -> None:
        if checked_name(case_id) <= self._last:
            raise ValueError(f"records come in the order of their ids: {case_id} after {self._last}")
        self._last = case_id


def _noting(
    found: Iterable[chunks.Encoded], contents: list[int]
) -> Iterator[tuple[chunks.Position, bytes, int]]:
    """What is written of chunks, while the check sums of their voxels are noted."""
    for one in found:
        contents.append(one.content)
        if one.payload:
            yield one.position, one.payload, 0


def _write(
    group: Any,
    name: str,
    facts: ArrayFacts,
    chunk: tuple[int, ...],
    payloads: Iterable[tuple[chunks.Position, bytes, int]],
) -> None:
    """Write an array whose chunks are compressed already."""
    dataset = group.create_dataset(
        name,
        shape=facts.shape,
        dtype=facts.dtype,
        chunks=chunk,
        fillvalue=0,
        fletcher32=True,
        track_times=False,
        **hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.BITSHUFFLE),
    )
    for position, payload, mask in payloads:
        corner = tuple([p * c for p, c in zip(position, chunk, strict=True)])
        dataset.id.write_direct_chunk(corner, payload, mask)


class Reader:
    """Reads the records of one HDF5 file; what is not of the kind we write is refused.

    Voxels do not go through HDF5: where the chunks of an array lie is asked once, and then their bytes are read
    from the file, compared with their check sums and decoded in one step.

    Args:
        path: The file.
        cache_bytes: Bound of what is remembered of the places of chunks, but for the array that was read last.
    """

    def __init__(self, path: Path, cache_bytes: int) -> None:
        self._name = path.name
        self._most = cache_bytes
        with self._refusing(""):
            self._file = h5py.File(path, "r", locking=False, rdcc_nbytes=0)
        self._records: OrderedDict[str, dict[str, ArrayFacts]] = OrderedDict()
        self._placed: OrderedDict[tuple[str, str], Placed] = OrderedDict()
        self._held = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the records, sorted."""
        with self._refusing(""):
            return tuple(sorted(self._file))

    def meta(self, case_id: str) -> dict[str, Any]:
        """A record's facts."""
        with self._refusing(case_id):
            facts: dict[str, Any] = json.loads(self.read(case_id, META, ...).tobytes())
            return facts

    def arrays(self, case_id: str) -> dict[str, ArrayFacts]:
        """Names, shapes and types of a record's arrays."""
        with self._refusing(case_id):
            return {n: f for n, f in self._check(case_id).items() if n != META}

    def read(
        self, case_id: str, name: str, index: Index, out: NDArray[Any] | None = None, threads: int = 1
    ) -> NDArray[Any]:
        """Part of an array; only the chunks it touches are read."""
        with self._refusing(case_id, name):
            placed = self._place(case_id, name)
            part = Part(placed.facts, placed.chunk, index, out)
            read_part(self._descriptor, placed, part, threads)
            return part.result()

    def depth(self, case_id: str, name: str) -> int:
        """Planes of a chunk of an array."""
        with self._refusing(case_id, name):
            return self._place(case_id, name).chunk[-3]

    def contents(self, case_id: str, name: str) -> NDArray[np.int64]:
        """Check sums of the voxels of an array's chunks, all of which are read and decoded."""
        with self._refusing(case_id, name):
            return read_contents(self._descriptor, self._place(case_id, name))

    def payloads(
        self, case_id: str, name: str
    ) -> tuple[ArrayFacts, tuple[int, ...], Iterator[tuple[chunks.Position, bytes, int]]]:
        """Facts of an array, the shape of its chunks, their compressed bytes with check sums, and filter masks."""
        with self._refusing(case_id, name):
            placed = self._place(case_id, name)
        return placed.facts, placed.chunk, self._payloads(placed, case_id, name)

    def close(self) -> None:
        """Let go of the file."""
        self._placed.clear()
        self._file.close()

    def _payloads(
        self, placed: Placed, case_id: str, name: str
    ) -> Iterator[tuple[chunks.Position, bytes, int]]:
        with self._refusing(case_id, name):
            yield from read_payloads(self._descriptor, placed)

    @property
    def _descriptor(self) -> int:
        descriptor: int = self._file.id.get_vfd_handle()
        return descriptor

    def _place(self, case_id: str, name: str) -> Placed:
        key = (case_id, name)
        placed = self._placed.get(key)
        if placed is None:
            facts = self._check(case_id)[name]
            placed = Placed.of(self._file[case_id][name], facts, self._file.id.get_filesize())
            self._placed[key] = placed
            self._held += placed.nbytes
            while self._held > self._most and len(self._placed) > 1:
                self._held -= self._placed.popitem(last=False)[1].nbytes
        self._placed.move_to_end(key)
        return placed

    def _check(self, case_id: str) -> dict[str, ArrayFacts]:
        if case_id not in self._records:
            _check_link(self._file, case_id)
            group = self._file[case_id]
            for name in group:
                _check_link(group, name)
            self._records[case_id] = {name: _facts(group[name]) for name in group}
            if len(self._records) > _KNOWN_RECORDS:
                self._records.popitem(last=False)
        return self._records[case_id]

    @contextmanager
    def _refusing(self, *what: str) -> Iterator[None]:
        """Whatever HDF5 says about a broken file becomes one kind of error, without a path in it."""
        where = " ".join((self._name, *what))
        try:
            yield
        except StoreCorrupt as error:
            told = str(error)
            raise StoreCorrupt(told if told.startswith(self._name) else f"{where}: {told}") from None
        except FileNotFoundError:
            raise StoreNotFound(f"shard {self._name} is missing") from None
        except (OSError, KeyError, RuntimeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise StoreCorrupt(f"{where}: cannot be read ({type(error).__name__})") from None


def _check_link(group: Any, name: str) -> None:
    """Refuse a name that leads to another file or to nothing."""
    if not NAME.fullmatch(name) or group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise StoreCorrupt(f"{name!r} is a link to elsewhere")


def _facts(dataset: Any) -> ArrayFacts:
    """Shape and type of a dataset that keeps to what we write (see the contract of a backend)."""
    if not isinstance(dataset, h5py.Dataset):
        raise StoreCorrupt("holds a group within a record")
    plist = dataset.id.get_create_plist()
    if plist.get_layout() != h5py.h5d.CHUNKED or plist.get_external_count():
        raise StoreCorrupt("holds an array that is kept elsewhere")
    if [plist.get_filter(n)[0] for n in range(plist.get_nfilters())] != _FILTERS:
        raise StoreCorrupt("has other filters than a shard of ours")
    dtype = dataset.dtype
    if dtype.kind not in "iuf":
        raise StoreCorrupt("holds something else than numbers")
    if int(np.prod(dataset.chunks)) * dtype.itemsize > _MAX_CHUNK_BYTES or dataset.nbytes > _MAX_ARRAY_BYTES:
        raise StoreCorrupt("holds an array larger than any of ours")
    return ArrayFacts(tuple(int(n) for n in dataset.shape), dtype)


@contextmanager
def create(path: Path, *, chunk: tuple[int, int, int]) -> Iterator[Writer]:
    """Write a shard; it is under its name when the block has ended."""
    with writing(path.name):
        for leftover in path.parent.glob(f".{path.name}.*"):  # of a process that was killed
            leftover.unlink()
    partial = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        with writing(path.name):
            file = h5py.File(partial, "w", libver=_VERSION)
        writer = Writer(file, path.name, chunk)
        try:
            yield writer
        finally:
            with writing(path.name):
                file.close()
        _read_back(partial, path.name, writer.contents)
        with writing(path.name):
            write_atomically(path, lambda temporary: _rename(partial, temporary))
    finally:
        with writing(path.name):
            partial.unlink(missing_ok=True)


def open(path: Path, *, cache_bytes: int) -> Reader:  # noqa: A001 - the promise's name
    """Open a shard for reading; `cache_bytes` bound the tables it keeps, which say where chunks lie."""
    return Reader(path, cache_bytes)


def _read_back(path: Path, name: str, contents: dict[tuple[str, str], NDArray[np.uint32]]) -> None:
    """Read and decode every array of a new file once: a disk that did not keep what it was given is found now.

    What was put is compared with what was encoded, chunk by chunk; what was kept with its digests.
    """
    left = dict(contents)
    reader = open(path, cache_bytes=0)
    try:
        for case_id in reader.ids:
            digests = {META: "", **reader.meta(case_id).get("digests", {})}
            for array in [*reader.arrays(case_id), META]:
                put = left.pop((case_id, array), None)
                if array not in digests or not _is_same(reader, case_id, array, put, digests[array]):
                    raise StoreCorrupt(f"{name} {case_id} {array}: reads back otherwise than it was written")
        if left:
            raise StoreCorrupt(f"{name} {' '.join(min(left))}: is missing after it was written")
    finally:
        reader.close()


def _is_same(reader: Reader, case_id: str, array: str, put: NDArray[np.uint32] | None, digest: str) -> bool:
    if put is not None:
        return np.array_equal(reader.contents(case_id, array), put)
    if array == META:
        return True
    facts = reader.arrays(case_id)[array]
    return digest == digest_of_parts(_slabs(reader, case_id, array, facts))


def _slabs(reader: Reader, case_id: str, name: str, facts: ArrayFacts) -> Iterator[memoryview]:
    """The bytes of an array in C order, few at a time and in memory that is used again."""
    if len(facts.shape) < 3:
        yield reader.read(case_id, name, ...).reshape(-1).view(np.uint8).data
        return
    depth, plane = reader.depth(case_id, name), facts.dtype.itemsize * math.prod(facts.shape[-2:])
    for lead in itertools.product(*map(range, facts.shape[:-3])):
        for k in range(0, facts.shape[-3], depth):
            count = min(depth, facts.shape[-3] - k)
            data = scratch("slab", count * plane)[: count * plane]
            out = data.view(facts.dtype).reshape(count, *facts.shape[-2:])
            reader.read(case_id, name, (*lead, slice(k, k + count)), out)
            yield data.data


def _rename(source: Path, target: Path) -> None:
    source.replace(target)
