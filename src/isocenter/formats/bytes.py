"""Bytes of possibly compressed files: read to the end with their check sums, never beyond a limit."""

from __future__ import annotations

import zlib
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular

GZIP = b"\x1f\x8b"
MAX_BYTES = 8 << 30
# DEFLATE cannot do better than about 1,032 to 1; beyond this a small file that grows huge is a bomb.
_MAX_RATIO, _ALWAYS_ALLOWED = 1100, 64 << 20


def read_head(path: Path, count: int) -> bytes:
    """The first bytes of a file, decompressed if it is a gzip file."""
    with open_regular(path) as file:
        head = file.read(count)
    return inflate_head(head, count)


def inflate_head(head: bytes, count: int) -> bytes:
    """Decompress what can be of the first bytes of a gzip file; other bytes come back as they are."""
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, count)
    except zlib.error:
        return b""


def read_all(path: Path, *, limit: int = MAX_BYTES) -> bytes | bytearray:
    """The whole content, decompressed if it is a gzip file.

    Raises:
        FormatError: the stream ends early, its check sum is wrong, or it grows beyond the limit.
    """
    with open_regular(path) as file:
        data = file.read()
    return inflate(data, limit=limit) if data.startswith(GZIP) else data


def inflate(data: bytes, *, limit: int = MAX_BYTES) -> bytearray:
    """Decompress gzip members up to the last one's trailer, which holds the CRC (RFC 1952)."""
    out = bytearray()
    limit = min(limit, max(_ALWAYS_ALLOWED, _MAX_RATIO * len(data)))
    while data.startswith(GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            while not stream.eof:
                piece = stream.decompress(data, 16 << 20)
                out += piece
                data = stream.unconsumed_tail
                if len(out) > limit:
                    raise FormatError(
                        "file/too-large", "the content grows beyond the limit", expected=f"{limit} bytes"
                    )
                if not piece and not stream.eof and not data:
                    raise FormatError("file/truncated", "the compressed stream ends early")
        except zlib.error:
            raise FormatError(
                "file/corrupt", "the compressed stream is broken or its check sum is wrong"
            ) from None
        data = stream.unused_data
    if data.strip(b"\0"):
        raise FormatError("file/corrupt", "bytes follow the compressed stream")
    return out
