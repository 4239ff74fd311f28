"""HDF5 shards: lz4 with bit shuffle, readable by whoever has h5py and hdf5plugin."""

from __future__ import annotations

import itertools
import json
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import canonical_json
from isocenter.base.errors import StoreCorrupt, StoreError, StoreNotFound
from isocenter.base.files import write_atomically
from isocenter.stores.shard import NAME, ArrayFacts, Index, Record, checked_name, digest_of_array

suffix = "h5"

META = "meta"
"""The dataset (UTF-8 JSON as bytes) that holds a record's facts; the others are its arrays."""

_VERSION = ("v110", "v110")  # readable from HDF5 1.10 on; the newest would change with the library
_COMPRESSION = hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.BITSHUFFLE)
_FILTERS = {hdf5plugin.BLOSC_ID, h5py.h5z.FILTER_FLETCHER32}
_MAX_CHUNK_BYTES = 256 << 20
_MAX_ARRAY_BYTES = 64 << 30
_TABLE_CHUNK = 1 << 16
_OPEN_DATASETS = 4


class Writer:
    """Writes records to an HDF5 file that is open for writing.

    A record is first made in memory and then copied object by object, as a kept one is copied out of its
    old file: so both leave the same bytes.
    """

    def __init__(self, file: Any, name: str, chunk: tuple[int, int, int]) -> None:
        self._file = file
        self._name = name
        self._chunk = chunk
        self._last = ""

    def put(self, record: Record) -> None:
        """Write a new record."""
        self._next(record.id)
        with _writing(self._name), _own_settings(), _in_memory() as scratch:
            group = scratch.create_group(record.id)
            for name in sorted(record.arrays):
                self._write(group, checked_name(name), np.ascontiguousarray(record.arrays[name]))
            text = canonical_json(record.meta).encode()
            self._write(group, META, np.frombuffer(text, np.uint8))
            self._copy(scratch, record.id)

    def keep(self, old: Path, case_id: str) -> None:
        """Copy a record's compressed bytes out of another shard file, as they are."""
        self._next(case_id)
        reader = open(old, cache_bytes=0)
        try:
            with _writing(self._name):
                self._copy(reader.checked_file(case_id), case_id)
        finally:
            reader.close()

    def _next(self, case_id: str) -> None:
        if checked_name(case_id) <= self._last:
            raise ValueError(f"records come in the order of their ids: {case_id} after {self._last}")
        self._last = case_id

    def _copy(self, source: Any, case_id: str) -> None:
        name = case_id.encode()
        h5py.h5o.copy(source.id, name, self._file.id, name)

    def _write(self, group: Any, name: str, array: NDArray[Any]) -> None:
        if array.dtype.kind not in "iuf" or not array.size:
            raise ValueError(f"{name}: an array of a record holds numbers, not {array.dtype} {array.shape}")
        chunk = _chunk_of(array, self._chunk)
        dataset = group.create_dataset(
            name,
            shape=array.shape,
            dtype=array.dtype,
            chunks=chunk,
            fillvalue=0,  # without it the rest of a chunk at the border would be whatever memory held
            fletcher32=True,
            track_times=False,
            **_COMPRESSION,
        )
        steps = (range(0, n, c) for n, c in zip(array.shape, chunk, strict=True))
        for corner in itertools.product(*steps):
            where = tuple(slice(a, a + c) for a, c in zip(corner, chunk, strict=True))
            block = array[where]
            if array.dtype.kind == "f" or block.any():  # a float zero has a sign
                dataset[where] = block


class Reader:
    """Reads the records of one HDF5 file; what is not of the kind we write is refused.

    Args:
        path: The file.
        cache_bytes: Bound of the decoded chunks held; 0 for none.
    """

    def __init__(self, path: Path, cache_bytes: int) -> None:
        self._name = path.name
        each = max(cache_bytes, 0) // _OPEN_DATASETS
        with self._refusing(""):
            self._file = h5py.File(path, "r", locking=False, rdcc_nbytes=each)
        self._records: dict[str, dict[str, ArrayFacts]] = {}
        self._datasets: OrderedDict[tuple[str, str], Any] = OrderedDict()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the records, sorted."""
        with self._refusing(""):
            return tuple(sorted(self._file))

    def meta(self, case_id: str) -> dict[str, Any]:
        """A record's facts."""
        with self._refusing(case_id):
            self._check(case_id)
            facts: dict[str, Any] = json.loads(self._file[case_id][META][()].tobytes())
            return facts

    def arrays(self, case_id: str) -> dict[str, ArrayFacts]:
        """Names, shapes and types of a record's arrays."""
        with self._refusing(case_id):
            return {n: f for n, f in self._check(case_id).items() if n != META}

    def read(self, case_id: str, name: str, index: Index) -> NDArray[Any]:
        """Part of an array; only the chunks it touches are read."""
        with self._refusing(f"{case_id} {name}"):
            self._check(case_id)
            return np.asarray(self._dataset(case_id, name)[index])

    def checked_file(self, case_id: str) -> Any:
        """The open file, when the record has been found to be of the kind we write."""
        with self._refusing(case_id):
            self._check(case_id)
        return self._file

    def close(self) -> None:
        """Let go of the file."""
        self._datasets.clear()
        self._file.close()

    def _dataset(self, case_id: str, name: str) -> Any:
        key = (case_id, name)
        if key not in self._datasets:
            self._datasets[key] = self._file[case_id][name]
            if len(self._datasets) > _OPEN_DATASETS:
                self._datasets.popitem(last=False)  # and its chunk cache with it
        self._datasets.move_to_end(key)
        return self._datasets[key]

    def _check(self, case_id: str) -> dict[str, ArrayFacts]:
        if case_id not in self._records:
            _check_link(self._file, case_id)
            group = self._file[case_id]
            for name in group:
                _check_link(group, name)
            self._records[case_id] = {name: _facts(group[name]) for name in group}
        return self._records[case_id]

    @contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """Whatever HDF5 says about a broken file becomes one kind of error, without a path in it."""
        try:
            yield
        except FileNotFoundError:
            raise StoreNotFound(f"shard {self._name} is missing") from None
        except (OSError, KeyError, RuntimeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise StoreCorrupt(f"{self._name} {what}: cannot be read ({type(error).__name__})") from None


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
    if not {plist.get_filter(n)[0] for n in range(plist.get_nfilters())} <= _FILTERS:
        raise StoreCorrupt("needs a filter that no shard of ours has")
    dtype = dataset.dtype
    if dtype.kind not in "iuf":
        raise StoreCorrupt("holds something else than numbers")
    if int(np.prod(dataset.chunks)) * dtype.itemsize > _MAX_CHUNK_BYTES or dataset.nbytes > _MAX_ARRAY_BYTES:
        raise StoreCorrupt("holds an array larger than any of ours")
    return ArrayFacts(tuple(int(n) for n in dataset.shape), dtype)


@contextmanager
def create(path: Path, *, chunk: tuple[int, int, int]) -> Iterator[Writer]:
    """Write a shard; it is under its name when the block has ended."""
    for leftover in path.parent.glob(f".{path.name}.*"):  # of a process that was killed
        leftover.unlink()
    scratch = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        with _writing(path.name):
            file = h5py.File(scratch, "w", libver=_VERSION)
        try:
            yield Writer(file, path.name, chunk)
        finally:
            with _writing(path.name):
                file.close()
        _read_back(scratch, path.name)
        write_atomically(path, lambda temporary: _rename(scratch, temporary))
    finally:
        scratch.unlink(missing_ok=True)


def open(path: Path, *, cache_bytes: int) -> Reader:  # noqa: A001 - the promise's name
    """Open a shard for reading; `cache_bytes` bound the decoded chunks it holds."""
    return Reader(path, cache_bytes)


def _chunk_of(array: NDArray[Any], chunk: tuple[int, int, int]) -> tuple[int, ...]:
    """The chunk of an array: one image or label at a time, the rest of it no larger than the array."""
    if array.ndim < 3:
        return (min(array.shape[0], _TABLE_CHUNK), *array.shape[1:])
    last = (min(n, c) for n, c in zip(array.shape[-3:], chunk, strict=True))
    return (*(1,) * (array.ndim - 3), *last)


def _read_back(path: Path, name: str) -> None:
    """Read every array of a new file once: a disk that did not keep what it was given is found now."""
    reader = open(path, cache_bytes=0)
    try:
        for case_id in reader.ids:
            digests = reader.meta(case_id).get("digests", {})
            for array in reader.arrays(case_id):
                data = reader.read(case_id, array, ...)
                if digests.get(array) != digest_of_array(data):
                    raise StoreCorrupt(f"{name} {case_id} {array}: reads back otherwise than it was written")
    finally:
        reader.close()


def _in_memory() -> Any:
    return h5py.File("record", "w", driver="core", backing_store=False, block_size=16 << 20, libver=_VERSION)


@contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        code = getattr(error, "errno", None)
        reason = os.strerror(code) if code else "the disk is full or failed"
        raise StoreError(f"{name} cannot be written: {reason}") from error


@contextmanager
def _own_settings() -> Iterator[None]:
    """Hide the environment's settings of Blosc, which would override ours and change the bytes."""
    hidden = {k: os.environ.pop(k) for k in list(os.environ) if k.startswith("BLOSC_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _rename(source: Path, target: Path) -> None:
    source.replace(target)
