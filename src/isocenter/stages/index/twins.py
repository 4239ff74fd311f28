"""Twins: files that hold the same pixels, read only where two claim one name or one place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from isocenter.base.errors import FormatError
from isocenter.base.files import located
from isocenter.formats.boundary import opening
from isocenter.stages.index.columns import Members
from isocenter.stages.index.repeats import BLANK, Pixels

DUPLICATE_PIXELS = "index/duplicate-pixels"
# Pixel data in fragments: tag, OB, and an undefined length, always little-endian (PS3.5 A.4).
_FRAGMENTS = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff"
# A file of one slice is smaller; larger ones are not compared.
_MAX_BYTES = 256 << 20


def pixels_of(members: Members, roots: Sequence[Path]) -> Pixels:
    """How the pixels of a row are looked up.

    Args:
        members: A series, with the column path.
        roots: Folder of each source.
    """

    def digest(row: int) -> str:
        path = located(roots[members.value("source", row)], members.paths[row])
        offset, length = members.other("pixel_offset")[row], members.other("pixel_bytes")[row]
        return digest_of_pixels(path, offset, length)

    return digest


def digest_of_pixels(path: Path, offset: int | None, length: int | None) -> str:
    """Digest of pixel data as they are stored; "" where they cannot be found or read.

    Args:
        path: The file.
        offset: Where they begin; None if they are in fragments.
        length: How many bytes they have; None: up to the end.
    """
    try:
        with opening(path) as file:
            if file.seek(0, 2) > _MAX_BYTES:
                return ""
            data = _fragments(file) if offset is None else _plain(file, offset, length)
    except (FormatError, OSError):
        return ""
    if not data or (length is not None and len(data) < length):
        return ""
    found = hashlib.blake2b(data, digest_size=16).hexdigest()
    return BLANK + found if data == data[:2] * (len(data) // 2) + data[: len(data) % 2] else found


def _plain(file: BinaryIO, offset: int, length: int | None) -> bytes:
    file.seek(offset)
    return file.read(-1 if length is None else length)


def _fragments(file: BinaryIO) -> bytes:
    """All from the last tag of pixel data in fragments on; an icon's comes before the image's own."""
    file.seek(0)
    data = file.read()
    at = data.rfind(_FRAGMENTS)
    return data[at:] if at >= 0 else b""
