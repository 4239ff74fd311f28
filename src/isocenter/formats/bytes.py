"""Bytes of possibly compressed files: read to the end with their check sums, never beyond a limit."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening

GZIP = b"\x1f\x8b"
# No file may hold more than this, compressed or not.
MAX_BYTES = 8 << 30
# DEFLATE reaches 1,032 to 1, and so does an empty mask. What grows this much more than its file is believed up to
# a size, and beyond it taken for a bomb.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 200, 1 << 30
# Blocked gzip (BGZF) has a member for every 64 KiB, so MAX_BYTES make 131,072.
MAX_MEMBERS = 1 << 18
# Content beyond what a header asks for is padding up to here; more means that the header is wrong.
MAX_PADDING_BYTES = 1024
_PIECE_HEAD, _PIECE_IN, _PIECE_OUT = 128, 64 << 10, 16 << 20


def read_head(path: Path, count: int) -> bytes:
    """The first bytes of a file, decompressed if it is a gzip file."""
    with opening(path) as file:
        head = file.read(count)
    return inflate_head(head, count)


def inflate_head(head: bytes, count: int) -> bytes:
    """Decompress what can be of the first bytes of a gzip file; other bytes come back as they are."""
    if not head.startswith(GZIP):
        return head
    stream, out = zlib.decompressobj(wbits=31), b""
    try:
        # little at a time, so that what comes before a broken place is known
        for at in range(0, len(head), _PIECE_HEAD):
            out += stream.decompress(head[at : at + _PIECE_HEAD], count)
            if len(out) >= count or stream.eof:
                break
    except zlib.error:
        pass
    return out[:count]


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


def read_all(path: Path, *, limit: int = MAX_BYTES) -> bytearray:
    """The whole content, decompressed if it is a gzip file, in memory that may be written to.

    Raises:
        FormatError: the stream ends early, its check sum is wrong, or it grows beyond the limit.
    """
    with opening(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        is_gzip = file.read(2) == GZIP
        file.seek(0)
        refuse_size(size, MAX_BYTES if is_gzip else limit)
        if is_gzip:
            return inflate(file.read(), limit=limit)
        return _fill(file, bytearray(size))


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
    view, at, members, out = memoryview(data), 0, 0, bytearray()
    limit = min(limit, limit_for(len(view)))
    while view[at : at + 2] == GZIP:
        members += 1
        if members > MAX_MEMBERS:
            raise FormatError("file/too-large", "too many compressed members", expected=MAX_MEMBERS)
        at = _inflate_member(view, at, out, limit)
    if bytes(view[at : at + MAX_PADDING_BYTES + 1]).strip(b"\0") or len(view) - at > MAX_PADDING_BYTES:
        raise FormatError("file/corrupt", "bytes follow the compressed stream")
    return out


def _inflate_member(view: memoryview, at: int, out: bytearray, limit: int) -> int:
    """Append the content of the member that begins at a place; where the next one would begin."""
    stream = zlib.decompressobj(wbits=31)
    left = b""
    try:
        while not stream.eof:
            if not left:
                left = bytes(view[at : at + _PIECE_IN])
                at += len(left)
            piece = stream.decompress(left, _PIECE_OUT)
            is_at_end = not left
            left = stream.unconsumed_tail
            out += piece
            if len(out) > limit:
                raise FormatError(
                    "file/too-large", "the content grows beyond the limit", expected=f"at most {limit} bytes"
                )
            if is_at_end and not piece and not stream.eof:
                raise FormatError("file/truncated", "the compressed stream ends early")
    except zlib.error:
        raise FormatError(
            "file/corrupt", "the compressed stream is broken or its check sum is wrong"
        ) from None
    return at - len(stream.unused_data)
