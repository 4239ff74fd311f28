"""What a compressed frame says of itself: read from its markers before any decoder allocates a byte."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isocenter.base.errors import FormatError

_J2K_START = b"\xff\x4f\xff\x51"
_JPEG_START = b"\xff\xd8"
# Start of Frame: all of FFC0..FFCF but tables (C4, C8, CC), and that of JPEG-LS (ITU-T T.87 C.2.2).
_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
_CODING, _TILE = 0x52, 0x90
_SCAN, _RESTARTS, _END = 0xDA, 0xDD, b"\xff\xd9"
_ENDING = 1024
# A JP2 box structure in front of the codestream is short.
_MAX_BOXES = 4096
LOSSLESS, JPEG_LS = 0xC3, 0xF7
_BITS_PER_BLOCK = {0xC0: 2, 0xC1: 2, 0xC2: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """Size, components, bits and sign of one compressed frame.

    Args:
        rows: Lines.
        columns: Samples of a line.
        components: 1 for grey.
        precision: Bits of a value.
        is_signed: Whether the values have a sign, which only JPEG 2000 can say.
        process: The marker of the frame (0xC3: lossless); 0 for JPEG 2000.
        predictor: Selection value of a lossless scan, 1 to 7; 0 in others.
        shift: Point transform: low bits that were left out.
        has_restarts: Whether the scan is cut by restart markers.
        is_reversible: Whether the wavelet of JPEG 2000 is one of whole numbers.
    """

    rows: int
    columns: int
    components: int
    precision: int
    is_signed: bool = False
    process: int = 0
    predictor: int = 0
    shift: int = 0
    has_restarts: bool = False
    is_reversible: bool = True

    @property
    def is_transformed(self) -> bool:
        """Whether values are computed from waves, so that an error may carry one of them beyond the ends of its range."""
        return not self.is_reversible or self.process in _BITS_PER_BLOCK


def refuse_cut(frame: bytes | memoryview) -> None:
    """Refuse a codestream without its last marker: decoders fill up what is missing, and say nothing.

    The marker is one of all JPEG processes, JPEG-LS and JPEG 2000, and stands nowhere else in a codestream. Padding may
    follow it: zeros, and a byte of any kind, for a space is seen there too.
    """
    if _END not in bytes(frame[-_ENDING:]).rstrip(b"\0\xff")[-3:]:
        raise FormatError("file/truncated", "the compressed frame ends early")


def lengthened(frame: bytes | memoryview) -> bytes:
    """The frame with more bytes before its last marker: of a whole scan they are left over, a cut one goes on with them."""
    end = bytes(frame).rindex(_END)
    return bytes(frame[:end]) + bytes(range(1, 200)) + _END


def least_bits(stated: Codestream) -> int:
    """Bits that the Huffman codes of JPEG cannot do without; 0 for JPEG-LS and JPEG 2000, where a flat image is nearly none.

    A code has a bit at least: one for each value of a lossless frame; one for the mean of each block of 8 x 8, and but in
    progressive frames one for its end.
    """
    if stated.process == LOSSLESS:
        return stated.rows * stated.columns
    if stated.process not in _BITS_PER_BLOCK:
        return 0
    return -(-stated.rows // 8) * -(-stated.columns // 8) * _BITS_PER_BLOCK[stated.process]


def jpeg_2000(frame: bytes | memoryview) -> Codestream:
    """The SIZ marker, which is the first of all (ITU-T T.800 A.5.1)."""
    start = bytes(frame[:_MAX_BOXES]).find(_J2K_START)
    body = bytes(frame[start + 4 : start + 43])
    if start < 0 or len(body) < 39:
        raise FormatError("file/corrupt", "no JPEG 2000 codestream")
    x1, y1, x0, y0 = (int.from_bytes(body[4 + 4 * n : 8 + 4 * n], "big") for n in range(4))
    return Codestream(
        rows=y1 - y0,
        columns=x1 - x0,
        components=int.from_bytes(body[36:38], "big"),
        precision=(body[38] & 0x7F) + 1,
        is_signed=bool(body[38] & 0x80),
        is_reversible=_is_reversible(frame, start + 4),
    )


def _is_reversible(frame: bytes | memoryview, at: int) -> bool:
    """The transformation of the COD marker (A.6.1), which stands in the main header."""
    at += int.from_bytes(frame[at : at + 2], "big")
    while at + 14 <= len(frame) and frame[at] == 0xFF and frame[at + 1] != _TILE:
        if frame[at + 1] == _CODING:
            return frame[at + 13] == 1
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise FormatError("file/corrupt", "a JPEG 2000 codestream that does not say how it is coded")


def jpeg(frame: bytes | memoryview) -> Codestream:
    """The Start of Frame of JPEG (ITU-T T.81 B.2.2) and JPEG-LS, and how its first scan is written."""
    if bytes(frame[:2]) != _JPEG_START:
        raise FormatError("file/corrupt", "no JPEG codestream")
    at, found, has_restarts = 2, None, False
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in _FRAME_MARKERS and at + 10 <= len(frame):
            if found is not None:
                raise FormatError("file/corrupt", "a JPEG codestream of several frames")
            found = Codestream(
                rows=int.from_bytes(frame[at + 5 : at + 7], "big"),
                columns=int.from_bytes(frame[at + 7 : at + 9], "big"),
                components=frame[at + 9],
                precision=frame[at + 4],
                process=marker,
            )
        elif marker == _RESTARTS:
            has_restarts = int.from_bytes(frame[at + 4 : at + 6], "big") > 0
        elif marker == _SCAN:
            if found is None or at + 2 + length > len(frame) or length < 6:
                break
            start, _, last = frame[at + length - 1 : at + length + 2]
            is_lossless = found.process == LOSSLESS
            return replace(
                found,
                predictor=start if is_lossless else 0,
                shift=last & 0x0F if is_lossless else 0,
                has_restarts=has_restarts,
            )
        at += 2 + length
    raise FormatError("file/corrupt", "a JPEG codestream without a frame")
