"""Pictures (PNG, JPEG) as grey images of one plane: not for training, but for finding copies among them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.sandbox import Sandbox
from isocenter.formats.boundary import opening

_MAX_BYTES, _MAX_PIXELS = 128 << 20, 64 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# Start-of-frame markers of ITU-T T.81 table B.1: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}

_sandbox = Sandbox("isocenter.formats.picture_codecs")


def is_picture(path: Path) -> bool:
    """Whether a file begins as a PNG or JPEG does."""
    try:
        with opening(path) as file:
            head = file.read(len(_PNG))
    except FormatError:
        return False
    return head.startswith((_PNG, _JPEG))


def read_picture(path: Path) -> NDArray[np.uint16]:
    """Grey values (1, J, I) of a picture, colours as their mean.

    Raises:
        FormatError: it is neither PNG nor JPEG, is damaged, or too large.
    """
    with opening(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise FormatError("file/too-large", "the picture is too large")
    name, (rows, columns) = (
        ("png", _size_of_png(data)) if data.startswith(_PNG) else ("jpeg", _size_of_jpeg(data))
    )
    if not 0 < rows * columns <= _MAX_PIXELS:
        raise FormatError("file/too-large", "the picture has no pixels, or too many")
    found = _sandbox.call(name, data, 2 * rows * columns, rows, columns)
    return np.frombuffer(found, np.uint16).reshape(1, rows, columns)


def _size_of_png(data: bytes) -> tuple[int, int]:
    """Rows and columns in the first chunk (PNG specification, 11.2.1)."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise FormatError("file/corrupt", "the picture has no header")
    columns, rows = struct.unpack(">II", data[16:24])
    return rows, columns


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Rows and columns in the frame header (ITU-T T.81 B.2.2)."""
    place = 2
    while data.startswith(_JPEG) and place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            rows, columns = struct.unpack(">HH", data[place + 5 : place + 9])
            return rows, columns
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    raise FormatError("file/corrupt", "the picture is no PNG or JPEG, or has no frame header")
