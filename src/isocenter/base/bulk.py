"""Bulk: the entries of a folder and the first bytes of many files, without a step of the interpreter for each.

The system's own calls (openat, statx, pread) are made from compiled loops. What they refuse is not judged here:
the caller looks at such a file once more, in the ordinary way.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core import types
from numpy.typing import NDArray

_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER_FLAGS = getattr(os, "O_PATH", 0) | os.O_DIRECTORY | os.O_CLOEXEC
_NO_FOLLOW, _ITSELF, _BASIC = 0x100, 0x1000, 0x7FF  # AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, STATX_BASIC_STATS
_WILL_NEED = 3
_NO_WAIT = 8  # RWF_NOWAIT: only what is in memory
_LARGEST = (1 << 63) - 1  # some file systems number inodes beyond what a column holds
_MINORS = 1 << 20  # a device is one number here: major * _MINORS + minor
_STATX_BYTES = 256
# What `read_heads` counts of a file that is no longer as it was listed.
CHANGED = -2
_LONGEST_FOLDER = 4096  # a longer path the system does not take
# So many files are opened and asked for before the first is read: a disk works on them at once.
_ASKED_AT_ONCE = 32

_openat: Any = types.ExternalFunction("openat", types.int32(types.int32, types.voidptr, types.int32))
_statx: Any = types.ExternalFunction(
    "statx", types.int32(types.int32, types.voidptr, types.int32, types.uint32, types.voidptr)
)
_pread: Any = types.ExternalFunction(
    "pread", types.int64(types.int32, types.voidptr, types.uint64, types.int64)
)
_preadv2: Any = types.ExternalFunction(
    "preadv2", types.int64(types.int32, types.voidptr, types.int32, types.int64, types.int32)
)
_close: Any = types.ExternalFunction("close", types.int32(types.int32))
_fadvise: Any = types.ExternalFunction(
    "posix_fadvise", types.int32(types.int32, types.int64, types.int64, types.int32)
)


@dataclass(frozen=True, slots=True, eq=False)
class Status:
    """What the system says of some entries, (N,) each; `is_known` is False where it says nothing."""

    is_known: NDArray[np.bool_]
    mode: NDArray[np.uint16]
    size: NDArray[np.int64]
    mtime_ns: NDArray[np.int64]
    inode: NDArray[np.int64]
    device: NDArray[np.int64]


# In the order in which `_told` says them.
_FIELDS = ("size", "mtime_ns", "inode", "device", "mode")

# Of one entry that the system says nothing of.
UNKNOWN = Status(
    np.zeros(1, np.bool_),
    np.zeros(1, np.uint16),
    np.zeros(1, np.int64),
    np.zeros(1, np.int64),
    np.zeros(1, np.int64),
    np.zeros(1, np.int64),
)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Names as the system takes them: bytes, each with a zero behind it, and where each begins, (N,)."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]


def names_of(names: Sequence[bytes]) -> Names:
    """Names in one piece of memory."""
    return packed_names(b"\0".join(names) + b"\0")


def packed_names(content: bytes) -> Names:
    """Names that each have a zero behind them."""
    data = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(data == 0)
    return Names(data, np.concatenate([[0], ends[:-1] + 1]).astype(np.int64))


def joined(prefix: bytes, names: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Every name behind a prefix, one after the other, and where each begins, (N + 1,)."""
    lengths = np.fromiter(map(len, names), np.int64, len(names)) + len(prefix)
    data = (prefix + prefix.join(names)) if names else b""
    return np.frombuffer(data, np.uint8), np.concatenate([[0], np.cumsum(lengths)])


def device_of(info: os.stat_result) -> int:
    """The device of a file as `Status` numbers it."""
    return os.major(info.st_dev) * _MINORS + os.minor(info.st_dev)


def is_listed(path: str, listed: tuple[int, int, int, int]) -> bool:
    """Whether a path still is the file that was listed with this size, time (ns), inode and device."""
    try:
        info = os.lstat(path)
    except (OSError, ValueError):
        return False
    return (info.st_size, info.st_mtime_ns, info.st_ino & _LARGEST, device_of(info)) == listed


def list_folder(path: bytes, listed: tuple[int, int] | None = None) -> tuple[list[bytes], Status]:
    """The names in a folder, sorted, and what the system says of each; links are not followed.

    Args:
        path: The folder.
        listed: Its inode and device when it was listed itself; None for a root, which may be a link.

    Raises:
        OSError: the folder cannot be read, or is no longer the one that was listed.
    """
    follow = os.O_NOFOLLOW if listed is not None else 0
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | follow)
    try:
        info = os.fstat(fd)
        if listed is not None and (info.st_ino & _LARGEST, device_of(info)) != listed:
            raise OSError("another folder has taken its place")
        found = os.listdir(fd)  # noqa: PTH208 - an open folder
        if not found:
            return [], _status(np.zeros((len(_FIELDS), 0), np.int64), np.zeros(0, np.bool_))
        names = sorted(os.fsencode("\0".join(found)).split(b"\0"))
        packed = names_of(names)
        fields = np.zeros((len(_FIELDS), len(names)), np.int64)
        is_known = np.zeros(len(names), np.bool_)
        _stat_all(fd, packed.data, packed.starts, np.zeros(_STATX_BYTES, np.uint8), fields, is_known)
    finally:
        os.close(fd)
    return names, _status(fields, is_known)


def _status(fields: NDArray[np.int64], is_known: NDArray[np.bool_]) -> Status:
    given = dict(zip(_FIELDS, fields, strict=True))
    return Status(is_known=is_known, mode=given.pop("mode").astype(np.uint16), **given)


def read_heads(
    root: str, names: Names, listed: NDArray[np.int64], arena: NDArray[np.uint8], head: int
) -> NDArray[np.int64]:
    """Read the first bytes of files into a piece of memory, `head` bytes apart.

    Args:
        root: Folder that the names start from.
        names: The files.
        listed: Size, time (ns), inode and device of each when it was listed, (N, 4).
        arena: Where the bytes go.
        head: How many are read of each.

    Returns:
        How many bytes of each are there, (N,); -1 where a file cannot be read, `CHANGED` where it is no longer the
        regular file that was listed.
    """
    counts = np.zeros(len(listed), np.int64)
    status = np.zeros(_STATX_BYTES, np.uint8)
    empty = np.zeros(1, np.uint8)
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return counts - 1
    try:
        flags = np.array([_OPEN_FLAGS, _FOLDER_FLAGS], np.int32)
        _read_all(folder, names.data, names.starts, listed, arena, head, counts, status, empty, flags)
    finally:
        os.close(folder)
    return counts


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _stat_all(fd: Any, data: Any, starts: Any, status: Any, fields: Any, is_known: Any) -> Any:
    for n in range(starts.size):
        done = _statx(
            np.int32(fd),
            data[starts[n] :].ctypes,
            np.int32(_NO_FOLLOW),
            np.uint32(_BASIC),
            status.ctypes,
        )
        is_known[n] = done == 0
        if done == 0:
            fields[0, n], fields[1, n], fields[2, n], fields[3, n], fields[4, n] = _told(status)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read_all(
    folder: Any,
    data: Any,
    starts: Any,
    listed: Any,
    arena: Any,
    head: Any,
    counts: Any,
    status: Any,
    empty: Any,
    flags: Any,
) -> Any:
    opened, piece = np.empty(_ASKED_AT_ONCE, np.int32), np.empty(2, np.int64)
    # neighbours are mostly in one folder, which is then looked up once
    near, path = np.array([-1, 0], np.int32), np.zeros(_LONGEST_FOLDER, np.uint8)
    for first in range(0, starts.size, _ASKED_AT_ONCE):
        last = min(first + _ASKED_AT_ONCE, starts.size)
        for n in range(first, last):
            fd = _open_near(np.int32(folder), near, path, data, starts[n], flags)
            counts[n] = _checked(fd, status, empty, listed[n])
            if counts[n] == 0:
                piece[0], piece[1] = arena[n * head :].ctypes.data, head
                counts[n] = _preadv2(fd, piece.ctypes, np.int32(1), np.int64(0), np.int32(_NO_WAIT))
                if counts[n] < min(head, listed[n, 0]):
                    _fadvise(fd, np.int64(0), np.int64(head), np.int32(_WILL_NEED))
                    opened[n - first] = fd
                    continue
            if fd >= 0:
                _close(fd)
            opened[n - first] = -1
        for n in range(first, last):
            fd = opened[n - first]
            if fd >= 0:
                counts[n] = _pread(fd, arena[n * head :].ctypes, np.uint64(head), np.int64(0))
                _close(fd)
    if near[0] >= 0:
        _close(near[0])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _open_near(folder: Any, near: Any, path: Any, data: Any, start: Any, flags: Any) -> Any:
    """Open a file by its name in the folder that was opened last, with the length of its path, or in its own."""
    behind = _behind_folder(data, start)
    size = behind - start
    if size != near[1] or not _is_same(path, data, start, size):
        if near[0] >= 0:
            _close(near[0])
        near[0], near[1] = -1, 0
        if 0 < size < path.size:
            path[:size], path[size] = data[start:behind], 0
            near[0], near[1] = _openat(folder, path.ctypes, flags[1]), size
    if near[0] >= 0:
        return _openat(near[0], data[behind:].ctypes, flags[0])
    return _openat(folder, data[start:].ctypes, flags[0])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _behind_folder(data: Any, start: Any) -> Any:
    """Where the last part of a path begins."""
    at, out = start, start
    while data[np.uint64(at)]:
        at += 1
        if data[np.uint64(at - 1)] == 47:
            out = at
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_same(path: Any, data: Any, start: Any, size: Any) -> Any:
    """Whether a piece of the data is what the path begins with."""
    is_same = True
    for n in range(min(size, path.size)):
        is_same &= path[np.uint64(n)] == data[np.uint64(start + n)]
    return is_same


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _checked(fd: Any, status: Any, empty: Any, listed: Any) -> Any:
    """0 for an open file that is as it was listed, else what is counted of it."""
    if fd < 0 or _statx(fd, empty.ctypes, np.int32(_ITSELF), np.uint32(_BASIC), status.ctypes) != 0:
        return -1
    size, time_ns, inode, device, mode = _told(status)
    is_same = size == listed[0] and time_ns == listed[1] and inode == listed[2] and device == listed[3]
    return 0 if is_same and (mode & 0xF000) == 0x8000 else CHANGED


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _told(status: Any) -> Any:
    """Fields of `struct statx`, which are in the same places on every architecture."""
    time_ns = _whole(status, 112, 8) * 1_000_000_000 + _whole(status, 120, 4)
    device = _whole(status, 136, 4) * _MINORS + _whole(status, 140, 4)
    mode = np.int64(status[28]) | np.int64(status[29]) << 8
    return _whole(status, 40, 8), time_ns, _whole(status, 32, 8) & _LARGEST, device, mode


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _whole(data: Any, at: Any, width: Any) -> Any:
    """A whole number in the byte order of the machines that this runs on (little endian)."""
    out = np.int64(0)
    for n in range(width):
        # a place without a sign: nobody need look whether it is counted from the end
        out |= np.int64(data[np.uint64(at + n)]) << (8 * n)
    return out
