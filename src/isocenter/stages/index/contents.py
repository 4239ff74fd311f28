"""Digests of what files hold, read once from end to end, where copies are looked for by content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from isocenter.formats.boundary import opening, parsing
from isocenter.formats.bytes import MAX_BYTES
from isocenter.stages.index.options import Content

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests (32 hex digits) of a file and of its pixel data; "" where there is none."""

    content: str = ""
    pixels: str = ""


def digests_of(path: Path, content: Content, pixels: tuple[int, int | None] | None) -> Digests:
    """Read a whole file once; one that is larger than anything that is read here has no digests.

    Args:
        path: The file.
        content: How much is asked for.
        pixels: Where its pixel data begin, and their length (None: up to the end); None where it has none.

    Raises:
        FormatError: it cannot be read.
    """
    if content is Content.UIDS:
        return Digests()
    start, length = pixels if pixels is not None and content is Content.PIXELS else (0, 0)
    whole, part, varies = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16), _Varies()
    at, end = 0, None if length is None else start + length
    with parsing("the file"), opening(path) as file:
        if file.seek(0, 2) > MAX_BYTES:
            return Digests()
        file.seek(0)
        while piece := file.read(_PIECE):
            whole.update(piece)
            inside = piece[max(0, start - at) : None if end is None else max(0, end - at)]
            if inside and at + len(piece) > start:
                part.update(inside)
                varies.see(inside)
            at += len(piece)
    # every empty slice is like every other: that says nothing
    return Digests(whole.hexdigest(), part.hexdigest() if varies.is_seen else "")


class _Varies:
    """Whether the bytes seen are more than one value again and again, taken as 16-bit numbers."""

    def __init__(self) -> None:
        self.is_seen = False
        self._first = b""

    def see(self, data: bytes) -> None:
        """Look at some more bytes."""
        if self.is_seen:
            return
        self._first = self._first or data[:2]
        times = len(data) // len(self._first) + 1
        self.is_seen = data != (self._first * times)[: len(data)]
