"""Tar archives: the headers of v7, ustar, GNU and PAX, walked from the first to the end of the archive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from isocenter.base.archives import catalogue as known
from isocenter.base.archives.catalogue import Catalogue
from isocenter.base.archives.streams import Source
from isocenter.base.errors import FormatError

BLOCK: Final = 512
MAX_NAME_BYTES, MAX_RECORDS_BYTES = 64 << 10, 1 << 20
MAX_TAIL_BYTES = 16 << 20
_EMPTY: Final = bytes(BLOCK)
_KINDS: Final = {b"1": known.HARDLINK, b"2": known.SYMLINK, b"3": known.DEVICE, b"4": known.DEVICE,
                 b"6": known.FIFO, b"S": known.SPARSE}  # fmt: skip
_NO_DATA: Final = {b"1", b"2", b"3", b"4", b"5", b"6"}
_SPECIAL: Final = {b"L", b"K", b"x", b"g", b"X"}
_OCTAL: Final = re.compile(rb"[ \0]*([0-7]*)[ \0]*")


@dataclass(slots=True)
class Heads:
    """First bytes of members, kept in passing so that a compressed archive is read once where they fit."""

    count: int
    limit: int
    kept: dict[int, bytes] = field(default_factory=dict)
    held: int = 0


@dataclass(slots=True)
class _Coming:
    """What special headers say of the member behind them."""

    name: bytes | None = None
    size: int | None = None
    is_sparse: bool = False


def is_header(block: bytes) -> bool:
    """Whether a block is a tar header: its check sum is right (POSIX ustar, "chksum")."""
    if len(block) < BLOCK or not any(block[:100]):
        return False
    found = _OCTAL.fullmatch(block[148:156])
    if found is None or not found[1]:
        return False
    stated, total = int(found[1], 8), sum(block) - sum(block[148:156]) + 256
    # some old writers summed signed bytes
    return stated in {total, total - 256 * sum(b > 127 for b in (*block[:148], *block[156:]))}


def read_headers(
    source: Source, limit: int, *, size: int | None, most: int, heads: Heads | None = None
) -> Catalogue:
    """All members that are no folders, in the archive's order.

    Args:
        source: The archive, decompressed.
        limit: Members there may be.
        size: Bytes of the archive, where that is known.
        most: Bytes that it may become.
        heads: Where to keep first bytes of the members.

    Raises:
        FormatError: the archive is cut or broken, too large, or has too many members.
    """
    catalogue, coming, at, count = Catalogue(), _Coming(), 0, 0
    while (block := source.read_at(at, BLOCK)) != _EMPTY:
        count += 1
        if count > 4 * limit or len(catalogue) >= limit:
            raise FormatError("file/limit", "too many members in an archive", expected=f"at most {limit}")
        if len(block) < BLOCK:
            raise FormatError("file/truncated", "the archive ends before its end mark")
        if not is_header(block):
            raise FormatError("file/corrupt", "a header of the archive is broken")
        own, at = block[156:157], at + BLOCK
        length = 0 if own in _NO_DATA else _number(block[124:136])
        if own in _SPECIAL:
            _take(own, source, at, length, coming)
        else:
            if coming.size is not None and own not in _NO_DATA:
                length = coming.size
            if own == b"S":
                at = _behind_map(source, block, at)
            _add(catalogue, block, own, at, length, coming)
            coming = _Coming()
            if heads is not None:
                _keep(heads, catalogue, source)
        at += -(-length // BLOCK) * BLOCK
        if size is not None and at > size:
            raise FormatError("file/truncated", "a member of the archive ends early")
        if at > most:
            raise FormatError(
                "file/too-large", "the archive grows beyond the limit", expected=f"at most {most}"
            )
    _check_tail(source, at)
    catalogue.seal()
    return catalogue


def _add(catalogue: Catalogue, block: bytes, own: bytes, at: int, length: int, coming: _Coming) -> None:
    name = coming.name if coming.name is not None else _name(block)
    if own == b"5" or (own in {b"\0", b"0", b"7"} and length == 0 and name.endswith(b"/")) or own == b"V":
        return
    if own == b"M":
        raise FormatError("file/unsupported", "an archive in several parts")
    kind = known.SPARSE if coming.is_sparse else _KINDS.get(own, known.FILE)
    catalogue.add(name, place=at, size=length, kind=kind)


def _keep(heads: Heads, catalogue: Catalogue, source: Source) -> None:
    index = len(catalogue) - 1
    if index < 0 or index in heads.kept or catalogue.kinds[index] != known.FILE:
        return
    count = min(heads.count, catalogue.sizes[index])
    if heads.held + count <= heads.limit:
        heads.kept[index] = source.read_at(catalogue.places[index], count)
        heads.held += count


def _name(block: bytes) -> bytes:
    name, prefix = block[:100].partition(b"\0")[0], block[345:500].partition(b"\0")[0]
    # GNU has other things in the place of the prefix
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _number(text: bytes) -> int:
    """A number of a header: octal, or with its first bit set, binary."""
    if text[0] == 0x80:
        value = int.from_bytes(text[1:], "big")
    else:
        found = _OCTAL.fullmatch(text)
        if found is None:
            raise FormatError("file/corrupt", "a header of the archive is broken")
        value = int(found[1] or b"0", 8)
    if value >= 1 << 61:
        raise FormatError("file/corrupt", "a header of the archive is broken")
    return value


def _take(own: bytes, source: Source, at: int, length: int, coming: _Coming) -> None:
    """Read a header that says something of the next one."""
    if length > (MAX_NAME_BYTES if own in {b"L", b"K"} else MAX_RECORDS_BYTES):
        raise FormatError("file/limit", "a header of the archive is too large", measured=length)
    data = source.read_at(at, length)
    if len(data) < length:
        raise FormatError("file/truncated", "the archive ends before its end mark")
    if own == b"L":
        coming.name = data.partition(b"\0")[0]
    elif own != b"K":
        _take_records(data, coming, is_global=own == b"g")


def _take_records(data: bytes, coming: _Coming, *, is_global: bool) -> None:
    """Records of a PAX header: `length key=value` and a line feed, all of it counted (POSIX pax)."""
    at = 0
    while at < len(data) and data[at]:
        digits, _, _ = data[at : at + 20].partition(b" ")
        end = at + int(digits) if digits.isdigit() else at
        key, equals, value = data[at + len(digits) + 1 : end - 1].partition(b"=")
        if end > len(data) or not equals or data[end - 1 : end] != b"\n":
            raise FormatError("file/corrupt", "a header of the archive is broken")
        at = end
        is_of_next = key in {b"path", b"size"} or key.startswith(b"GNU.sparse.")
        if is_of_next and is_global:
            raise FormatError("file/unsupported", "one header of the archive names all its members")
        if key == b"path":
            coming.name = value
        elif key == b"size":
            coming.size = _decimal(value)
        elif key.startswith(b"GNU.sparse."):
            coming.is_sparse = True


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise FormatError("file/corrupt", "a header of the archive is broken")
    return int(text)


def _behind_map(source: Source, block: bytes, at: int) -> int:
    """Where the data of an old GNU sparse member begin: behind all blocks of its map."""
    is_more = block[482]
    while is_more:
        block = source.read_at(at, BLOCK)
        if len(block) < BLOCK:
            raise FormatError("file/truncated", "the archive ends before its end mark")
        is_more, at = block[504], at + BLOCK
    return at


def _check_tail(source: Source, at: int) -> None:
    """Refuse what follows the end mark: a second archive would vanish."""
    end = at + MAX_TAIL_BYTES
    while piece := source.read_at(at, 1 << 20):
        at += len(piece)
        if at > end or piece.strip(b"\0"):
            raise FormatError("file/corrupt", "bytes follow the end mark of the archive")
