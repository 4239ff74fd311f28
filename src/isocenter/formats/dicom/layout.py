"""How the pixels of one DICOM object are laid out (PS3.5 8.1, A.4), and whether as many are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.formats.bytes import MAX_PADDING_BYTES
from isocenter.formats.dicom.fragments import MAX_FRAGMENTS
from isocenter.formats.dicom.header import Header

NATIVE = {
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
}
# Deflated Image Frame Compression (PS3.5 A.4.13), which segmentations may be written in.
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
MAX_SIDE = 65_535
GREY = {"MONOCHROME1", "MONOCHROME2"}
_UNDEFINED = 0xFFFFFFFF
_PIXEL_TAGS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_LONG_VR = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"}
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """The pixel data behind a header; true where there are any.

    Args:
        is_there: Whether there are pixel data.
        offset: Where their value begins in the file; None where it is encapsulated or deflated.
        length: Bytes of the value; None as above.
    """

    is_there: bool
    offset: int | None = None
    length: int | None = None

    def __bool__(self) -> bool:
        return self.is_there


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Size and type of the one frame of a grey image."""

    rows: int
    columns: int
    bits_stored: int
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        """Bytes of the frame as it is stored natively."""
        return self.rows * self.columns * self.dtype.itemsize


def layout_of(dataset: Any, *, is_multi_frame: bool = False) -> Layout:
    """The layout of a grey image's frame.

    Args:
        dataset: Its data set.
        is_multi_frame: Whether it may have several frames, all of this layout.

    Raises:
        FormatError: it is none, or its attributes contradict each other.
    """
    header = Header(dataset)
    rows, columns, bits = header.integer("Rows"), header.integer("Columns"), header.integer("BitsAllocated")
    samples, frames = header.integer("SamplesPerPixel"), header.integer("NumberOfFrames")
    sign = header.integer("PixelRepresentation") or 0
    stored = header.integer("BitsStored")
    high = header.integer("HighBit")
    if rows is None or columns is None or bits is None or header.unparsable:
        raise FormatError("file/corrupt", "rows, columns, bits or frames make no sense")
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE) or bits not in {8, 16, 32}:
        raise FormatError("file/unsupported", "a pixel layout that is not read here")
    stored = bits if stored is None else stored
    if samples not in {None, 1} or (header.text("PhotometricInterpretation") or "MONOCHROME2") not in GREY:
        raise FormatError("file/unsupported", "the pixels are colours")
    if not is_multi_frame and frames not in {None, 0, 1}:
        raise FormatError("file/unsupported", "a multi-frame object")
    if not 0 < stored <= bits or high not in {None, stored - 1} or sign not in {0, 1}:
        raise FormatError("file/corrupt", "the stored bits do not fit the allocated ones")
    return Layout(
        rows=rows, columns=columns, bits_stored=stored, dtype=np.dtype(f"{'i' if sign else 'u'}{bits // 8}")
    )


def syntax_of(dataset: Any) -> str:
    """The transfer syntax; where none is stated, the one that the data set was found to be in."""
    stated = dataset.file_meta.get("TransferSyntaxUID")
    if stated:
        return str(stated)
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian)


def check_pixels(file: BinaryIO, dataset: Any, size: int) -> Pixels:
    """The pixel data that follow the header; where they end early or are others than it says, the file is refused."""
    syntax = syntax_of(dataset)
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return Pixels(is_there=False)
    order: Literal["big", "little"] = "big" if syntax == uid.ExplicitVRBigEndian else "little"
    tag = (int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order))
    if tag not in _PIXEL_TAGS:
        return Pixels(is_there=False)
    if head[4:6] in _LONG_VR:
        length, value = int.from_bytes(head[8:12], order), start + 12
    else:
        length, value = int.from_bytes(head[4:8], order), start + 8
    if length != _UNDEFINED:
        _check_length(dataset, length, size - value, is_native=syntax in NATIVE)
        if syntax in NATIVE:
            return Pixels(is_there=True, offset=value, length=length)
    elif syntax in NATIVE:
        raise FormatError("file/corrupt", "the pixel data are encapsulated, the transfer syntax is not")
    else:
        _check_fragments(file, value, size)
    return Pixels(is_there=True)


def _check_length(dataset: Any, length: int, left: int, *, is_native: bool) -> None:
    measured = f"{left} bytes"
    if length > left:
        raise FormatError(
            "file/truncated", "the pixel data end early", measured=measured, expected=f"{length} bytes"
        )
    needed = stated_bytes(dataset)
    if is_native and needed is not None:
        compare(length, needed)


def compare(length: int, needed: int) -> None:
    """Refuse native pixel data of another length than rows and columns ask for, but for some padding."""
    measured, expected = f"{length} bytes", f"{needed} bytes"
    if length < needed:
        raise FormatError("file/truncated", "the pixel data end early", measured=measured, expected=expected)
    if length > needed + MAX_PADDING_BYTES:
        raise FormatError(
            "file/corrupt",
            "there are more pixels than rows and columns",
            measured=measured,
            expected=expected,
        )


def stated_bytes(dataset: Any) -> int | None:
    """Bytes that the attributes of a grey image ask for; None where they do not say, or it has colours."""
    header = Header(dataset)
    rows, columns, bits = header.integer("Rows"), header.integer("Columns"), header.integer("BitsAllocated")
    frames, samples = header.integer("NumberOfFrames") or 1, header.integer("SamplesPerPixel")
    if rows is None or columns is None or bits is None or samples not in {None, 1} or frames < 1:
        return None
    return (rows * columns * frames * bits + 7) // 8


def _check_fragments(file: BinaryIO, at: int, size: int) -> None:
    """Walk the fragments of encapsulated pixel data to their end (PS3.5 A.4) without reading them."""
    for _ in range(MAX_FRAGMENTS):
        file.seek(at)
        head = file.read(8)
        if head[:4] == _END:
            return
        at += 8 + int.from_bytes(head[4:8], "little")
        if len(head) < 8 or at > size:
            raise FormatError("file/truncated", "the compressed pixel data end early")
        if head[:4] != _ITEM:
            raise FormatError("file/corrupt", "the compressed pixel data are not made of fragments")
    raise FormatError("file/too-large", "too many fragments", expected=MAX_FRAGMENTS)
