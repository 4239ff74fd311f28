"""Zip archives: the central directory, read strictly, and where a member's bytes are (APPNOTE 6.3)."""

from __future__ import annotations

import os
import stat
import struct
from bisect import bisect_right
from collections import Counter
from functools import partial
from typing import Final, NamedTuple

from isocenter.base.archives import catalogue as known
from isocenter.base.archives.catalogue import Catalogue
from isocenter.base.archives.streams import Deflate, Inflated, Source, Stored, bzip2, raw_lzma
from isocenter.base.errors import FormatError

MAX_DIRECTORY_BYTES = 256 << 20
# DEFLATE reaches 1,032 to 1; more is a lie or a bomb, which is let pass where it is small.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 1100, 64 << 20
_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
_METHODS: Final = {_STORED, _DEFLATED, _BZIP2, _LZMA}
_NO_METHOD: Final = 255
_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
# The directory is read in pieces, each with an entry and its three longest texts in it.
_WINDOW_BYTES, _LARGEST_ENTRY_BYTES = 1 << 20, 46 + 3 * 0xFFFF
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_UNIX: Final = {3, 19}
_ENCRYPTED_FLAGS, _END_MARKER_FLAG = 0x2041, 0x2
_LINKS: Final = ((stat.S_IFLNK, known.SYMLINK), (stat.S_IFIFO, known.FIFO), (stat.S_IFCHR, known.DEVICE),
                 (stat.S_IFBLK, known.DEVICE), (stat.S_IFSOCK, known.DEVICE))  # fmt: skip


class _Directory(NamedTuple):
    at: int
    size: int
    members: int
    is_exact: bool


def read_directory(fd: int, size: int, limit: int) -> Catalogue:
    """All members that are no folders, in the order of the central directory.

    Raises:
        FormatError: the archive is cut, its directory is broken or too large, or it has too many members.
    """
    directory = _find_directory(fd, size)
    if directory.size > MAX_DIRECTORY_BYTES:
        raise FormatError("file/limit", "the directory of the archive is too large", measured=directory.size)
    catalogue, count = Catalogue(), 0
    window, begin, at, end = b"", directory.at, 0, directory.at + directory.size
    while begin + at < end:
        if len(window) - at < _LARGEST_ENTRY_BYTES and begin + len(window) < end:
            begin, at = begin + at, 0
            window = os.pread(fd, min(_WINDOW_BYTES, end - begin), begin)
        at = _add_entry(catalogue, window, at)
        count += 1
        if count > limit:
            raise FormatError("file/limit", "too many members in an archive", expected=f"at most {limit}")
    if count != directory.members and (directory.is_exact or count % (_FULL_16 + 1) != directory.members):
        raise FormatError("file/corrupt", "the archive has another number of members than it says")
    _bound(catalogue, directory.at)
    catalogue.seal()
    return catalogue


def _find_directory(fd: int, size: int) -> _Directory:
    begin = max(0, size - _FULL_16 - _END.size)
    tail = os.pread(fd, size - begin, begin)
    at = tail.rfind(b"PK\5\6")
    while at >= 0 and (
        len(tail) - at < _END.size or at + _END.size + _END.unpack_from(tail, at)[7] != len(tail)
    ):
        at = tail.rfind(b"PK\5\6", 0, at)
    if at < 0:
        raise FormatError("file/truncated", "the archive ends before its directory does")
    _, disk, first, here, count, length, offset, _ = _END.unpack_from(tail, at)
    end = begin + at
    found = _find_64(fd, end)
    if found is not None:
        end, disk, first, here, count, length, offset = found
    if disk or first or here != count:
        raise FormatError("file/unsupported", "an archive in several parts")
    if offset + length > end:
        raise FormatError("file/truncated", "the directory of the archive lies beyond its end")
    if offset + length < end:
        # what the offsets do not know of is another archive in front, or something that hides
        raise FormatError("file/corrupt", "the archive holds bytes that its directory does not know of")
    return _Directory(offset, length, count, found is not None)


def _find_64(fd: int, end: int) -> tuple[int, int, int, int, int, int, int] | None:
    locator = os.pread(fd, _LOCATOR_64.size, max(0, end - _LOCATOR_64.size))
    if len(locator) < _LOCATOR_64.size or not locator.startswith(b"PK\6\7"):
        return None
    at = _LOCATOR_64.unpack(locator)[2]
    record = os.pread(fd, _END_64.size, min(at, end))
    if len(record) < _END_64.size or not record.startswith(b"PK\6\6"):
        raise FormatError("file/corrupt", "the directory of the archive is broken")
    _, _, _, _, disk, first, here, count, length, offset = _END_64.unpack(record)
    return at, disk, first, here, count, length, offset


def _add_entry(catalogue: Catalogue, data: bytes, at: int) -> int:
    """Note one entry of the directory; where the next one begins."""
    if len(data) - at < _ENTRY.size or data[at : at + 4] != b"PK\1\2":
        raise FormatError("file/corrupt", "the directory of the archive is broken")
    entry = _ENTRY.unpack_from(data, at)
    _, made, _, flags, method, _, _, checksum, packed, size, n_name, n_extra, n_comment = entry[:13]
    external, place = entry[15], entry[16]
    names, extras = at + _ENTRY.size, at + _ENTRY.size + n_name
    end: int = extras + n_extra + n_comment
    if end > len(data):
        raise FormatError("file/corrupt", "the directory of the archive is broken")
    if _FULL_32 in {packed, size, place}:
        size, packed, place = _wide(data[extras : extras + n_extra], size, packed, place)
    name = data[names:extras]
    kind = _kind(made >> 8, external, flags, method)
    if size == 0 and (name.endswith(b"/") or kind is None):
        return end
    refusal = known.OPEN
    if method not in _METHODS:
        refusal = known.METHOD
    elif method == _STORED and size != packed:
        refusal = known.OTHER_SIZE
    elif size > ALWAYS_ALLOWED_BYTES and size > MAX_RATIO * packed:
        refusal = known.BOMB
    catalogue.add(
        name,
        place=place,
        size=size,
        kind=known.FILE if kind is None else kind,
        packed=packed,
        method=method if method in _METHODS else _NO_METHOD,
        checksum=checksum,
        refusal=refusal,
    )
    return end


def _wide(extra: bytes, *narrow: int) -> list[int]:
    """Size, packed size and offset, where they need 64 bits (APPNOTE 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            wide = [v[0] for v in struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])]
            out: list[int] = [wide.pop(0) if v == _FULL_32 and wide else v for v in narrow]
            if max(out) >= 1 << 61:
                raise FormatError("file/corrupt", "the directory of the archive is broken")
            return out
        at += 4 + length
    return list(narrow)


def _kind(system: int, external: int, flags: int, method: int) -> int | None:
    """What an entry is; None is a folder."""
    mode = stat.S_IFMT(external >> 16) if system in _UNIX else 0
    for link, kind in _LINKS:
        if mode == link:
            return kind
    if flags & _ENCRYPTED_FLAGS or method == 99:
        return known.ENCRYPTED
    return None if mode == stat.S_IFDIR or external & 0x10 else known.FILE


def _bound(catalogue: Catalogue, directory_at: int) -> None:
    """Find the members that run into the next one, or out of the archive (Fifield, WOOT 2019)."""
    count_at = Counter(catalogue.places)
    begins = sorted(count_at)
    for n, place in enumerate(catalogue.places):
        following = bisect_right(begins, place)
        ceiling = min(directory_at, begins[following] if following < len(begins) else directory_at)
        end = place + _LOCAL.size + catalogue.packed[n]
        if place >= directory_at or end > directory_at:
            catalogue.refusals[n] = known.OUTSIDE
        elif end > ceiling or count_at[place] > 1:
            catalogue.refusals[n] = known.OVERLAP
        catalogue.ceilings.append(ceiling)


def open_packed(fd: int, catalogue: Catalogue, index: int) -> tuple[Source, bool]:
    """The bytes of a member, and whether their end can be told from the stream.

    Raises:
        FormatError: the header in front of the member is not the one that the directory tells of.
    """
    place, packed = catalogue.places[index], catalogue.packed[index]
    stored, method = catalogue.stored(index), catalogue.methods[index]
    head = os.pread(fd, _LOCAL.size + len(stored), place)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise FormatError("file/corrupt", "a member of the archive is not where the directory says")
    _, _, flags, own_method, _, _, _, _, _, n_name, n_extra = _LOCAL.unpack_from(head)
    if (
        head[_LOCAL.size :] != stored
        or n_name != len(stored)
        or own_method != method
        or flags & _ENCRYPTED_FLAGS
    ):
        raise FormatError(
            "file/corrupt", "a member of the archive is not the one that the directory tells of"
        )
    begin = place + _LOCAL.size + n_name + n_extra
    end = begin + packed
    if end > catalogue.ceilings[index]:
        raise FormatError(*known.REFUSALS[known.OVERLAP])
    if method == _STORED:
        return Stored(fd, begin, end), True
    if method == _LZMA:
        # version, length of the properties, properties (APPNOTE 5.8.8)
        front = os.pread(fd, min(9, packed), begin)
        start = partial(raw_lzma, front[4:9])
        return Inflated(fd, begin + 9, end, start), bool(flags & _END_MARKER_FLAG)
    if method == _BZIP2:
        return Inflated(fd, begin, end, bzip2), True
    return Inflated(fd, begin, end, partial(Deflate, -15)), True
