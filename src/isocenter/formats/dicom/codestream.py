"""What a compressed frame says of itself: read from its markers before any decoder allocates a byte."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.base.errors import FormatError

_J2K_START = b"\xff\x4f\xff\x51"
_JPEG_START = b"\xff\xd8"
# Start of Frame: all of FFC0..FFCF but tables (C4, C8, CC), and that of JPEG-LS (ITU-T T.87 C.2.2).
_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
# A JP2 box structure in front of the codestream is short.
_MAX_BOXES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """Size, components, bits and sign of one compressed frame."""

    rows: int
    columns: int
    components: int
    precision: int
    is_signed: bool = False


def jpeg_2000(frame: bytes) -> Codestream:
    """The SIZ marker, which is the first of all (ITU-T T.800 A.5.1)."""
    start = frame.find(_J2K_START, 0, _MAX_BOXES)
    body = frame[start + 4 :]
    if start < 0 or len(body) < 39:
        raise FormatError("file/corrupt", "no JPEG 2000 codestream")
    x1, y1, x0, y0 = (int.from_bytes(body[4 + 4 * n : 8 + 4 * n], "big") for n in range(4))
    return Codestream(
        rows=y1 - y0,
        columns=x1 - x0,
        components=int.from_bytes(body[36:38], "big"),
        precision=(body[38] & 0x7F) + 1,
        is_signed=bool(body[38] & 0x80),
    )


def jpeg(frame: bytes) -> Codestream:
    """The Start of Frame of JPEG (ITU-T T.81 B.2.2) and JPEG-LS."""
    if not frame.startswith(_JPEG_START):
        raise FormatError("file/corrupt", "no JPEG codestream")
    at = 2
    while at + 4 <= len(frame):
        if frame[at] != 0xFF:
            break
        marker = frame[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_MARKERS and at + 10 <= len(frame):
            return Codestream(
                rows=int.from_bytes(frame[at + 5 : at + 7], "big"),
                columns=int.from_bytes(frame[at + 7 : at + 9], "big"),
                components=frame[at + 9],
                precision=frame[at + 4],
            )
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise FormatError("file/corrupt", "a JPEG codestream without a frame")
