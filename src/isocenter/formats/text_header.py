"""Headers of lines of text in front of voxels: read up to the line that ends them, and no further than a limit."""

from __future__ import annotations

import re
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening
from isocenter.formats.bytes import inflate_head
from isocenter.formats.limits import Limits

# What was scanned within the limits that were set then is read, whatever they were.
SCANNED = Limits(header_bytes=1 << 30, elements=1 << 30, value_bytes=1 << 30)
_FIRST_BYTES, _GROWTH = 16 << 10, 16


def read_text_header(
    path: Path, end: re.Pattern[bytes], limits: Limits, expected: Signature | None = None
) -> tuple[bytes, bool]:
    """The beginning of a file, plain or compressed with gzip, with the first match of a pattern, and whether it is there.

    Raises:
        FormatError: `file/limit` where the header, a line of it or their number is beyond what is allowed.
    """
    count, limit = min(_FIRST_BYTES, limits.header_bytes), limits.header_bytes
    with opening(path, expected) as file:
        size = file.seek(0, 2)
        while True:
            file.seek(0)
            head = inflate_head(file.read(count), count)
            if (found := end.search(head)) is not None:
                return _checked(head[: found.end()], limits), True
            if count >= size and len(head) < count:
                return _checked(head, limits), False
            if count == limit:
                raise FormatError("file/limit", "the header has no end", expected=f"at most {limit} bytes")
            count = min(count * _GROWTH, limit)


def _checked(head: bytes, limits: Limits) -> bytes:
    lines = head.count(b"\n")
    if lines > limits.elements:
        raise FormatError(
            "file/limit", "the header has too many lines", measured=lines, expected=limits.elements
        )
    longest = max(map(len, head.split(b"\n")))
    if longest > limits.value_bytes:
        raise FormatError(
            "file/limit",
            "a line of the header is too long",
            measured=f"{longest} bytes",
            expected=f"at most {limits.value_bytes} bytes",
        )
    return head
