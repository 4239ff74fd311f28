"""Pages of an LMDB file, read with plain bounded reads: whatever the file holds, nothing outside it is touched.

The library maps a file into memory and trusts what it finds: where a page is damaged or the file is shorter than its
pages say, the process dies (SIGBUS, SIGSEGV, an assertion). Here every page is read with `pread` and every number in
it is compared with its bounds before it is used. The format is that of LMDB 0.9 on a 64-bit little-endian machine
(`mdb.c`: MDB_meta, MDB_page, MDB_node).
"""

from __future__ import annotations

import os
import struct
import sys
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from isocenter.base.errors import StoreCorrupt

_MAGIC = 0xBEEFC0DE
_FORMAT = 1
# the page's number and kind, then magic, version, address, size of the map, and what is known of two trees
_META = struct.Struct("<Q2xH4x II8xQ I44x 6xH24xQQ QQ")
_LEAF = 0x02
_BRANCH = 0x01
_IS_META = 0x08
_HEAD = 16
_CACHED_PAGES = 64
_MOST_LEVELS = 32


@dataclass(frozen=True, slots=True)
class Value:
    """A key, and where in the file its value lies."""

    key: bytes
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Page:
    """Keys of a page in their order; of a leaf where each value lies, of a branch the pages below."""

    keys: list[bytes]
    offsets: list[int]
    sizes: list[int]


class Pages:
    """The keys and values of an LMDB file that is complete and that nobody writes to.

    Args:
        fd: The open file; it stays the caller's.

    Raises:
        StoreCorrupt: it is no such file, or is shorter or longer than its pages say.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size
        self._pages: OrderedDict[int, _Page] = OrderedDict()
        if sys.byteorder != "little" or struct.calcsize("P") != 8:
            raise StoreCorrupt("shards of LMDB need a 64-bit little-endian machine")
        self._page_size, self._root, self._depth, self.entries, last = _meta(fd)
        if (last + 1) * self._page_size != self._size:
            raise StoreCorrupt(f"has {self._size} bytes, its pages {(last + 1) * self._page_size}")

    def beginning_with(self, prefix: bytes) -> Iterator[Value]:
        """Keys that begin with some bytes, in their order."""
        for page, start in self._leaves(prefix):
            for n in range(start, len(page.keys)):
                if not page.keys[n].startswith(prefix):
                    return
                yield Value(page.keys[n], page.offsets[n], page.sizes[n])

    def first_since(self, key: bytes) -> Value | None:
        """The first key that is not before another, None where there is none."""
        for page, n in self._leaves(key):
            if n < len(page.keys):
                return Value(page.keys[n], page.offsets[n], page.sizes[n])
        return None

    def _leaves(self, first: bytes) -> Iterator[tuple[_Page, int]]:
        """Leaves in the order of their keys, each with where the keys from `first` on begin."""
        last = None
        for page in self._below(self._root, 1, first) if self._depth else ():
            if (last is not None and page.keys[0] <= last) or page.keys[-1] < page.keys[0]:
                raise StoreCorrupt("its index is damaged")  # a leaf that is come to twice would never end
            last = page.keys[-1]
            yield page, bisect_left(page.keys, first)

    def _below(self, number: int, level: int, first: bytes) -> Iterator[_Page]:
        page = self._page(number, is_leaf=level == self._depth)
        if level == self._depth:
            yield page
            return
        # the first key of a branch stands for everything before the second
        for child in page.offsets[bisect_right(page.keys, first, 1) - 1 :]:
            yield from self._below(child, level + 1, first)

    def _page(self, number: int, *, is_leaf: bool) -> _Page:
        page = self._pages.get(number)
        if page is None:
            page = self._parsed(number, is_leaf=is_leaf)
            self._pages[number] = page
            if len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return page

    def _parsed(self, number: int, *, is_leaf: bool) -> _Page:
        at = number * self._page_size
        raw = os.pread(self._fd, self._page_size, at)
        nodes = np.empty((self._page_size // 2, 4), np.int64)
        count = -1
        if len(raw) == self._page_size and int.from_bytes(raw[:8], "little") == number:
            kind = _LEAF if is_leaf else _BRANCH
            count = _nodes(np.frombuffer(raw, np.uint8), kind, at, self._size, nodes)
        if count < 1:
            raise StoreCorrupt("its index is damaged")
        starts, lengths, offsets, sizes = (c.tolist() for c in nodes[:count].T)
        keys = [raw[a : a + n] for a, n in zip(starts, lengths, strict=True)]
        return _Page(keys, offsets, sizes)


def _meta(fd: int) -> tuple[int, int, int, int, int]:
    """Page size, root, depth, entries and last page as the newer of the two meta pages has them."""
    found = []
    page_size = 0
    for number in (0, 1):
        raw = os.pread(fd, _META.size, number * page_size)
        if len(raw) < _META.size:
            raise StoreCorrupt("is cut off")
        page, kind, magic, version, _, size, depth, entries, root, last, transaction = _META.unpack(raw)
        page_size = page_size or size
        if (page, kind, magic, version, size) != (number, _IS_META, _MAGIC, _FORMAT, page_size):
            raise StoreCorrupt("is no file of LMDB 0.9")
        if page_size & (page_size - 1) or not 512 <= page_size <= 1 << 16 or depth > _MOST_LEVELS:
            raise StoreCorrupt("is no file of LMDB 0.9")
        found.append((transaction, page_size, root, depth, entries, last))
    return max(found)[1:]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nodes(page: NDArray[np.uint8], kind: int, at: int, file_size: int, out: NDArray[np.int64]) -> int:
    """Start and length of each key of a page, with offset and size of its value, or the number of the page below.

    Returns:
        How many there are; -1 where a number leads out of the page or out of the file.
    """
    size = page.size
    flags, lower, upper = _number(page, 10, 2), _number(page, 12, 2), _number(page, 14, 2)
    if flags != kind or not _HEAD <= lower <= upper <= size:
        return -1
    count: int = (lower - _HEAD) // 2
    for n in range(count):
        node = _number(page, _HEAD + 2 * n, 2)
        if node < upper or node + 8 > size:
            return -1
        length = _number(page, node + 6, 2)
        end = node + 8 + length
        if end > size:
            return -1
        out[n, 0], out[n, 1], out[n, 3] = node + 8, length, 0
        if kind == _BRANCH:
            out[n, 2] = _number(page, node, 6)
            if not 1 < out[n, 2] < file_size // size:
                return -1
            continue
        value_size, is_large = _number(page, node, 4), _number(page, node + 4, 2)
        out[n, 2], out[n, 3] = at + end, value_size
        if is_large == 1:
            if end + 8 > size:
                return -1
            first = _number(page, end, 8)
            if not 1 < first < file_size // size:
                return -1
            out[n, 2] = first * size + _HEAD
            if out[n, 2] + value_size > file_size:
                return -1
        elif is_large != 0 or end + value_size > size:
            return -1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _number(page: NDArray[np.uint8], at: int, width: int) -> int:
    value = 0
    for n in range(width):
        value |= int(page[at + n]) << (8 * n)
    return value
