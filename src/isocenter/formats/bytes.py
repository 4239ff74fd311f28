"""Bytes of possibly compressed files: read to the end with their check sums, never beyond a limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening

GZIP = b"\x1f\x8b"
# No file may hold more than this, compressed or not.
MAX_BYTES = 8 << 30
# DEFLATE reaches 1,032 to 1, and so does an empty mask. What grows this much more than its file is believed up to
# a size, and beyond it taken for a bomb.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 200, 1 << 30
# What is inflated to be read here and there, and not from its beginning to its end, is held in memory.
MAX_HELD_BYTES = 512 << 20
# Blocked gzip (BGZF) has a member for every 64 KiB, so MAX_BYTES make 131,072.
MAX_MEMBERS = 1 << 18
# Content beyond what a header asks for is padding up to here; more means that the header is wrong.
MAX_PADDING_BYTES = 1024
_PIECE_HEAD, _PIECE_IN, _PIECE_OUT = 128, 64 << 10, 16 << 20


def read_head(path: Path, count: int, expected: Signature | None = None) -> bytes:
    """The first bytes of a file, decompressed if it is a gzip file."""
    with opening(path, expected) as file:
        head = file.read(count)
    return inflate_head(head, count)


def inflate_head(head: bytes, count: int) -> bytes:
    """Decompress what can be of the first bytes of a gzip file; other bytes come back as they are."""
    if not head.startswith(GZIP):
        return head
    stream, out = zlib.decompressobj(wbits=31), bytearray()
    try:
        # little at a time, so that what comes before a broken place is known
        for at in range(0, len(head), _PIECE_HEAD):
            out += stream.decompress(head[at : at + _PIECE_HEAD], count)
            if len(out) >= count or stream.eof:
                break
    except zlib.error:
        pass
    return bytes(out[:count])


@contextmanager
def open_content(
    path: Path, expected: Signature | None = None, *, limit: int = MAX_HELD_BYTES
) -> Iterator[BinaryIO]:
    """Open a file for reading here and there: the file itself, or what a gzip file holds.

    A gzip file is inflated to its end first, so that nothing of one that is cut or broken is seen.

    Raises:
        FormatError: the file cannot be opened, or is not the expected one; of a gzip file, as `read_all`.
    """
    with opening(path, expected) as file:
        is_gzip = file.read(2) == GZIP
        file.seek(0)
        if not is_gzip:
            yield file
            return
        content = BytesIO()
        for piece in _inflated(file, limit):
            content.write(piece)
    content.seek(0)
    yield content


@contextmanager
def open_beginning(path: Path, *, count: int = 1 << 20) -> Iterator[BinaryIO]:
    """Open a file, or so many bytes of what can be inflated of a gzip file, whatever is wrong behind them."""
    with opening(path) as file:
        is_gzip = file.read(2) == GZIP
        file.seek(0)
        yield BytesIO(inflate_head(file.read(count), count)) if is_gzip else file


def limit_for(compressed: int) -> int:
    """How many bytes so many compressed bytes may become."""
    return min(MAX_BYTES, max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * compressed))


def refuse_size(needed: int, limit: int) -> None:
    """Refuse a stated size beyond a limit, before any memory is asked for."""
    if needed > limit:
        raise FormatError(
            "file/too-large",
            "the stated size is beyond the limit",
            measured=f"{needed} bytes",
            expected=f"at most {limit} bytes",
        )


def check_length(length: int, needed: int) -> None:
    """Refuse content that is not what its header asks for: shorter, or longer by more than padding."""
    measured, expected = f"{length} bytes", f"{needed} bytes"
    if length < needed:
        raise FormatError("file/truncated", "the voxels end early", measured=measured, expected=expected)
    if length > needed + MAX_PADDING_BYTES:
        raise FormatError(
            "file/corrupt",
            "there are more bytes than the header asks for",
            measured=measured,
            expected=expected,
        )


def read_all(path: Path, expected: Signature | None = None, *, limit: int = MAX_BYTES) -> bytearray:
    """The whole content, decompressed if it is a gzip file, in memory that may be written to.

    Raises:
        FormatError: the file is not the expected one, the stream ends early, its check sum is wrong, or it grows
            beyond the limit.
    """
    with opening(path, expected) as file:
        is_gzip = file.read(2) == GZIP
        size = file.seek(0, 2)
        file.seek(0)
        if is_gzip:
            return _joined(_inflated(file, limit))
        refuse_size(size, limit)
        return _fill(file, bytearray(size))


def read_rest(file: BinaryIO, needed: int, *, encoding: str = "raw") -> bytearray:
    """What is in an open file from here to its end; plain, or in a stream of gzip or zlib.

    Raises:
        FormatError: it is not as many bytes as are needed; of a stream, as `inflate`.
    """
    start = file.tell()
    size = file.seek(0, 2) - start
    file.seek(start)
    if encoding == "raw":
        check_length(size, needed)
        return _fill(file, bytearray(size))
    refuse_size(size, MAX_BYTES)
    limit = needed + MAX_PADDING_BYTES
    body = _joined(_inflated(file, limit)) if encoding == "gzip" else inflate_zlib(file.read(), limit=limit)
    check_length(len(body), needed)
    return body


def read_part(
    file: BinaryIO, start: int, count: int, needed: int, *, is_gzip: bool
) -> tuple[bytearray, bytes]:
    """Some bytes of what an open file holds, and what lies behind those that are needed, as far as it is padding.

    A plain file is read where they are; a gzip file to its last check sum, of which no more than they is kept.

    Args:
        file: From its beginning on.
        start: The first byte that is wanted.
        count: How many are.
        needed: Bytes that its header asks for.
        is_gzip: Whether it is compressed.

    Raises:
        FormatError: there are not as many bytes as are needed; of a gzip file, as `inflate`.
    """
    if not is_gzip:
        size = file.seek(0, 2)
        check_length(size, needed)
        file.seek(needed)
        rest = file.read(size - needed)
        file.seek(start)
        return _fill(file, bytearray(count)), rest
    out, after, at = bytearray(count), bytearray(), 0
    for piece in _inflated(file, needed + MAX_PADDING_BYTES):
        low, high = max(start, at), min(start + count, at + len(piece))
        if low < high:
            out[low - start : high - start] = memoryview(piece)[low - at : high - at]
        after += piece[max(needed - at, 0) :]
        at += len(piece)
    check_length(at, needed)
    return out, bytes(after)


def _fill(file: BinaryIO, data: bytearray) -> bytearray:
    """Read a file into memory of its size, piece by piece."""
    at = 0
    while at < len(data) and (piece := file.read(min(_PIECE_OUT, len(data) - at))):
        data[at : at + len(piece)] = piece
        at += len(piece)
    if at < len(data):
        raise FormatError("file/changed", "the file became shorter while it was read")
    return data


def inflate(data: bytes | bytearray | memoryview, *, limit: int = MAX_BYTES) -> bytearray:
    """Decompress gzip members up to the last one's trailer, which holds the CRC (RFC 1952)."""
    return _joined(_inflated(BytesIO(data), limit))


def inflate_zlib(data: bytes | bytearray | memoryview, *, limit: int = MAX_BYTES) -> bytearray:
    """Decompress one zlib or gzip stream to its check sum (RFC 1950, RFC 1952); nothing may follow but padding."""
    file, stream, out = BytesIO(data), zlib.decompressobj(wbits=47), bytearray()
    limit = min(limit, limit_for(len(data)))
    for piece in _member(stream, b"", file):
        out += piece
        _refuse_growth(len(out), limit)
    _refuse_rest(stream.unused_data + file.read(MAX_PADDING_BYTES + 1))
    return out


def _joined(pieces: Iterator[bytes]) -> bytearray:
    out = bytearray()
    for piece in pieces:
        out += piece
    return out


def _inflated(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """The content of the gzip members from here to the end of a file, piece by piece."""
    start = file.tell()
    size = file.seek(0, 2) - start
    file.seek(start)
    refuse_size(size, MAX_BYTES)
    limit, total, left = min(limit, limit_for(size)), 0, file.read(_PIECE_IN)
    for _ in range(MAX_MEMBERS):
        if not left.startswith(GZIP):
            break
        stream = zlib.decompressobj(wbits=31)
        for piece in _member(stream, left, file):
            total += len(piece)
            _refuse_growth(total, limit)
            yield piece
        left = stream.unused_data
        left += file.read(_PIECE_IN - len(left)) if len(left) < _PIECE_IN else b""
    else:
        if left.startswith(GZIP):
            raise FormatError("file/too-large", "too many compressed members", expected=MAX_MEMBERS)
    _refuse_rest(left)


def _refuse_growth(total: int, limit: int) -> None:
    if total > limit:
        raise FormatError(
            "file/too-large", "the content grows beyond the limit", expected=f"at most {limit} bytes"
        )


def _refuse_rest(rest: bytes) -> None:
    if len(rest) > MAX_PADDING_BYTES or rest.strip(b"\0"):
        raise FormatError("file/corrupt", "bytes follow the compressed stream")


def _member(stream: Any, left: bytes, file: BinaryIO) -> Iterator[bytes]:
    """The content of one member, to its check sum."""
    try:
        while not stream.eof:
            left = left or file.read(_PIECE_IN)
            piece = stream.decompress(left, _PIECE_OUT)
            if not left and not piece and not stream.eof:
                raise FormatError("file/truncated", "the compressed stream ends early")
            left = stream.unconsumed_tail
            yield piece
    except zlib.error:
        raise FormatError(
            "file/corrupt", "the compressed stream is broken or its check sum is wrong"
        ) from None
