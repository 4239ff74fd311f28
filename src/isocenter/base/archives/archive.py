"""Listing the members of an archive, and opening one of them."""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from isocenter.base.archives import catalogue as known
from isocenter.base.archives.catalogue import KINDS, Catalogue, Member
from isocenter.base.archives.content import Content, MemberFile
from isocenter.base.archives.streams import GZIP, Blocks, Deflate, Inflated, Marks, Source, Stored
from isocenter.base.archives.tars import BLOCK, Heads, is_header, read_headers
from isocenter.base.archives.zips import open_packed, read_directory
from isocenter.base.errors import FormatError
from isocenter.base.regular import open_regular

ZIP, TAR, TAR_GZ = "zip", "tar", "tar.gz"
MAX_MEMBERS, HEAD_BYTES = 1_000_000, 8 << 10
# A tar.gz may become this many times larger, once it is beyond a size that a few empty masks have.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 200, 1 << 30
# What a table names was listed under limits before: only memory bounds what is opened by name.
_MOST_MEMBERS: Final = 1 << 24
# First bytes of members of a compressed tar that are kept from the one reading to its end.
_MOST_HEAD_BYTES: Final = 64 << 20
# How much is kept of archives that were listed: archives, members in all of them, and marks (50 KiB each).
_MOST_KEPT: Final = (64, 2_000_000, 2048)


@dataclass(slots=True, eq=False)
class _Known:
    """What is kept of an archive that was listed: plain data, no open file, so that a process may fork."""

    kind: str
    catalogue: Catalogue
    marks: Marks
    heads: dict[int, bytes]


@dataclass(slots=True, eq=False)
class Listed:
    """A member as the listing gives it: what it is, its first bytes, or why they cannot be read."""

    member: Member
    head: bytes
    error: FormatError | None
    _open: Callable[[], Content]

    def more(self, offset: int, count: int) -> bytes:
        """Up to so many bytes from an offset on, while the listing stands at this member.

        Raises:
            FormatError: they cannot be read.
            ValueError: the listing is over.
        """
        with self._open() as content:
            content.seek(offset)
            out = []
            while count and (piece := content.read(count)):
                out.append(piece)
                count -= len(piece)
        return b"".join(out)


_KEPT: OrderedDict[tuple[int, ...], _Known] = OrderedDict()


def archive_kind(head: bytes) -> str | None:
    """What archive a file is that begins with these bytes: "zip", "tar", "tar.gz", or None.

    Documents that are zip archives by their make (office files, packages of programs, NumPy's .npz) are "zip"
    here too: who lists archives decides by their first names whether to look inside.
    """
    if head[:4] in {b"PK\3\4", b"PK\5\6", b"PK\7\x08"}:
        return ZIP
    if head.startswith(GZIP):
        return TAR_GZ if is_header(_first_block(head)) else None
    return TAR if is_header(head[:BLOCK]) else None


def _first_block(head: bytes) -> bytes:
    """The first block of a compressed tar, as far as it is in these bytes; it may be cut into several streams."""
    out = b""
    try:
        while head.startswith(GZIP) and len(out) < BLOCK:
            decoder = Deflate(31)
            out += decoder.next(head, BLOCK - len(out))
            head = decoder.rest() or b""
    except zlib.error:
        pass
    return out


def members(path: Path, *, limit: int = MAX_MEMBERS, head_bytes: int = HEAD_BYTES) -> Iterator[Listed]:
    """Every member of an archive that is no folder, in the archive's order, with its first bytes.

    The archive as a whole is judged before the first member comes: its directory or headers, their number, and
    the check sums of a compressed tar (which is read to its end for that). A member's own check sum is looked at
    when more than its first bytes are read. No more than one member's first bytes, and of a compressed tar
    64 MiB of such bytes, are held.

    Args:
        path: The archive, a regular file.
        limit: Members there may be.
        head_bytes: First bytes that are wanted of each.

    Raises:
        FormatError: the archive is broken, cut, too large or no archive; then none of its members counts.
    """
    with ExitStack() as stack:
        file = _opened(path, stack)
        if os.path.lexists(f"{path}!"):
            raise FormatError("file/unsupported", "something beside the archive has its name and a '!'")
        found = _known(file, limit, head_bytes)
        mtime_ns = os.fstat(file.fileno()).st_mtime_ns
        stream = _stream(found, file.fileno())
        heads, found.heads = found.heads, {}
        for index in range(len(found.catalogue)):
            open_one = partial(_content, found.catalogue, index, file, stream, lambda: None)
            head, error = _head(found.catalogue, index, heads.pop(index, None), open_one, head_bytes)
            yield Listed(member_of(found.catalogue, index, mtime_ns), head, error, open_one)
        if isinstance(stream, Blocks):
            stream.leave()


def open_member(path: Path, name: str) -> MemberFile:
    """Open a member as a file that can be read at any place.

    A zip member's check sum is compared as soon as its last byte is read, and at the end of the `with` block if
    more than a header was read. All of a compressed tar was checked when its members were first listed in this
    process.

    Raises:
        FormatError: there is no such member, or it cannot be read; later, what is wrong with its bytes.
    """
    with ExitStack() as stack:
        file = _opened(path, stack)
        found = _known(file, _MOST_MEMBERS, 0)
        index = _found(found.catalogue, name)
        stream = _stream(found, file.fileno())
        keep = stack.pop_all()

        def close() -> None:
            if isinstance(stream, Blocks):
                stream.leave()
            keep.close()

        try:
            content = _content(found.catalogue, index, file, stream, close)
            return MemberFile(content, os.fstat(file.fileno()).st_mtime_ns)
        except BaseException:
            close()
            raise


def find_member(path: Path, name: str) -> Member:
    """What the archive says of one member.

    Raises:
        FormatError: the archive cannot be read, or there is no such member.
    """
    with ExitStack() as stack:
        file = _opened(path, stack)
        catalogue = _known(file, _MOST_MEMBERS, 0).catalogue
        return member_of(catalogue, _found(catalogue, name), os.fstat(file.fileno()).st_mtime_ns)


def member_of(catalogue: Catalogue, index: int, mtime_ns: int) -> Member:
    """One row of a catalogue."""
    return Member(
        name=catalogue.name(index),
        kind=KINDS[catalogue.kinds[index]],
        size=catalogue.sizes[index],
        mtime_ns=mtime_ns,
    )


def _opened(path: Path, stack: ExitStack) -> BinaryIO:
    try:
        return stack.enter_context(open_regular(path))
    except (OSError, ValueError) as error:
        raise FormatError(
            "file/unreadable", f"the archive cannot be opened ({type(error).__name__})"
        ) from None


def _found(catalogue: Catalogue, name: str) -> int:
    index = catalogue.find(name)
    if index is None:
        raise FormatError("file/unreadable", "there is no such member in the archive")
    return index


def _known(file: BinaryIO, limit: int, head_bytes: int) -> _Known:
    """The catalogue of an open archive, made once for each archive and process."""
    before = _identity(file)
    found = _KEPT.get(before) or _read_whole(file, before, limit, head_bytes)
    if len(found.catalogue) > limit:
        raise FormatError("file/limit", "too many members in an archive", expected=f"at most {limit}")
    _KEPT[before] = found
    with suppress(KeyError):  # another thread may have made room
        _KEPT.move_to_end(before)
    return found


def _read_whole(file: BinaryIO, before: tuple[int, int, int, int], limit: int, head_bytes: int) -> _Known:
    """Read what is to be known of an archive, and make room for it."""
    try:
        found = _read(file.fileno(), before[2], limit, head_bytes)
    except OSError as error:
        raise FormatError("file/unreadable", "the archive cannot be read", measured=error.errno) from None
    if _identity(file) != before:
        raise FormatError("file/changed", "the archive changed while it was read")
    while _KEPT and any(held >= most for held, most in zip(_held(), _MOST_KEPT, strict=True)):
        _KEPT.popitem(last=False)
    return found


def _held() -> tuple[int, int, int]:
    kept = list(_KEPT.values())
    return len(kept), sum(len(k.catalogue) for k in kept), sum(len(k.marks) for k in kept)


def _identity(file: BinaryIO) -> tuple[int, int, int, int]:
    info = os.fstat(file.fileno())
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


def _read(fd: int, size: int, limit: int, head_bytes: int) -> _Known:
    kind = archive_kind(os.pread(fd, HEAD_BYTES, 0))
    marks, heads = Marks(), Heads(head_bytes, _MOST_HEAD_BYTES)
    if kind == ZIP:
        return _Known(ZIP, read_directory(fd, size, limit), marks, {})
    if kind == TAR:
        return _Known(TAR, read_headers(Stored(fd, 0, size), limit, size=size, most=size), marks, {})
    if kind != TAR_GZ:
        raise FormatError("file/unsupported", "no archive that can be read")
    stream = Inflated(fd, 0, size, partial(Deflate, 31), marks=marks, is_gzip=True)
    most = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * size)
    catalogue = read_headers(stream, limit, size=None, most=most, heads=heads if head_bytes else None)
    return _Known(TAR_GZ, catalogue, marks, heads.kept)


def _stream(found: _Known, fd: int) -> Source | None:
    """The decompressed archive, where it is compressed as a whole."""
    size = os.fstat(fd).st_size
    if found.kind == TAR_GZ:
        return Blocks(Inflated(fd, 0, size, partial(Deflate, 31), marks=found.marks, is_gzip=True))
    return Stored(fd, 0, size) if found.kind == TAR else None


def _content(
    catalogue: Catalogue, index: int, file: BinaryIO, stream: Source | None, close: Callable[[], None]
) -> Content:
    fd = file.fileno()  # which fails if it is closed, for its number may be another file's then
    catalogue.refuse(index)
    size = catalogue.sizes[index]
    if stream is not None:
        return Content(stream, catalogue.places[index], size, close)
    source, is_closed = open_packed(fd, catalogue, index)
    return Content(source, 0, size, close, checksum=catalogue.sums[index], is_closed=is_closed)


def _head(
    catalogue: Catalogue, index: int, kept: bytes | None, open_one: Callable[[], Content], count: int
) -> tuple[bytes, FormatError | None]:
    if catalogue.kinds[index] not in {known.FILE, known.ENCRYPTED, known.SPARSE}:
        return b"", None
    if kept is not None:
        return kept, None
    try:
        with open_one() as content:
            return content.read(count) or b"", None
    except FormatError as error:
        return b"", error
    except OSError as error:
        message = "a member of the archive cannot be read"
        return b"", FormatError("file/unreadable", message, measured=error.errno)
