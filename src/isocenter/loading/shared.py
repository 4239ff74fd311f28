"""Sharing: arrays and notes that many processes have in common and none of them copies."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import StoreError

LEAST_SHARED_BYTES = 1 << 20
"""Arrays of fewer bytes travel by value: a copy costs less than a file."""

_ALIGNED = 64
_Places: TypeAlias = tuple[tuple[str, str, tuple[int, ...], int], ...]


class SharedFile:
    """A temporary file that goes when the process that made it has let go of it, or ended.

    Sent to another process it names the same file.
    """

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="isocenter-")
        os.close(descriptor)
        self.path = Path(name)
        _FILES[name] = self
        weakref.finalize(self, _remove, self.path, os.getpid())

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _shared_file, (str(self.path),)


_FILES: weakref.WeakValueDictionary[str, SharedFile] = weakref.WeakValueDictionary()


def _shared_file(name: str) -> SharedFile:
    """The file of that name: this process's own, where it made it, so that it stays as long as anyone needs it."""
    known = _FILES.get(name)
    if known is None:
        known = SharedFile.__new__(SharedFile)
        known.path = Path(name)
        _FILES[name] = known
    return known


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child has the same object, and no right to it
        path.unlink(missing_ok=True)


class Columns(Mapping[str, NDArray[Any]]):
    """Named arrays, read-only; large ones lie in a temporary file that every process maps.

    Workers map the same pages, however they are started: an index of millions of cases is in memory once. Small
    arrays travel by value.

    Args:
        arrays: What they are made of.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._file: SharedFile | None = None
        self._places: _Places = ()
        if sum(a.nbytes for a in plain.values()) >= LEAST_SHARED_BYTES:
            self._file = SharedFile()
            self._places = _written(self._file.path, plain)
            plain = _mapped(self._file.path, self._places, is_touched=True)
        self._arrays = plain

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        if self._file is None:
            return Columns, (self._arrays,)
        return _columns, (self._file, self._places)


def _columns(file: SharedFile, places: _Places) -> Columns:
    out = Columns({})
    out._file, out._places = file, places  # noqa: SLF001 - its own kind
    try:
        out._arrays = _mapped(file.path, places)  # noqa: SLF001
    except (OSError, ValueError):
        raise StoreError("the process that made this data set has ended, and its index with it") from None
    return out


def _written(path: Path, arrays: Mapping[str, NDArray[Any]]) -> _Places:
    places = []
    with path.open("wb") as file:
        for name, array in arrays.items():
            file.write(bytes(-file.tell() % _ALIGNED))
            places.append((name, array.dtype.str, array.shape, file.tell()))
            array.tofile(file)
    return tuple(places)


def _mapped(path: Path, places: _Places, *, is_touched: bool = False) -> dict[str, NDArray[Any]]:
    """The arrays in a file; where it was just written, with every page in this process.

    Those pages are in memory anyway, and what a worker looks at is then not counted as its own.
    """
    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if is_touched:
        np.frombuffer(pages, np.uint8)[:: mmap.PAGESIZE].max()
    out = {}
    for name, kind, shape, offset in places:
        count = int(np.prod(shape))
        kept = np.frombuffer(pages, np.dtype(kind), count, offset) if count else np.zeros(0, np.dtype(kind))
        out[name] = kept.reshape(shape)
    return out


class Names(Sequence[str]):
    """Texts in one array of bytes: a quarter of what NumPy's own texts take, and no object each.

    Args:
        array: (N,) UTF-8 texts.
    """

    __slots__ = ("array",)

    def __init__(self, array: NDArray[np.bytes_]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice | NDArray[Any]) -> Names: ...
    def __getitem__(self, index: Any) -> Any:
        found = self.array[index]
        return found.decode() if isinstance(found, bytes) else Names(found)

    def tolist(self) -> list[str]:
        """All of them as strings."""
        return [name.decode() for name in self.array.tolist()]


def encoded(names: Sequence[str]) -> NDArray[np.bytes_]:
    """Texts as an array of UTF-8 bytes."""
    return np.array([name.encode() for name in names], dtype=np.bytes_)
