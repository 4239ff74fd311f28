"""The stored frames of a segmentation: bits packed across frames, or values of 8 or 16 bits, in any transfer syntax."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.bytes import limit_for, open_content, refuse_size
from isocenter.formats.dicom.file import parse_object
from isocenter.formats.dicom.fragments import Encapsulated
from isocenter.formats.dicom.frames import WANTED, frames_of
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.instance import kind_of_object
from isocenter.formats.dicom.layout import DEFLATED_FRAMES, MAX_SIDE, Layout, layout_of, syntax_of
from isocenter.formats.dicom.multiframe import pixel_data
from isocenter.formats.dicom.pixels import decode_frame
from isocenter.formats.dicom.segmentation import Segmentation, segmentation_of
from isocenter.formats.dicom.survey import Survey
from isocenter.formats.limits import DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentFrames:
    """A segmentation whose file is open.

    Args:
        about: What its header says.
        layout: Size and type of one frame.
        is_packed: Whether a pixel is one bit.
        syntax: The transfer syntax.
        file: The open file, or what it inflates to.
        offset: Where native pixel data begin in it.
        encapsulated: The frames of compressed pixel data, None where they are native.
    """

    about: Segmentation
    layout: Layout
    is_packed: bool
    syntax: str
    file: BinaryIO
    offset: int
    encapsulated: Encapsulated | None

    def plane(self, number: int) -> NDArray[Any]:
        """Values (J, I) of one frame.

        Raises:
            FormatError: it cannot be read.
        """
        if self.encapsulated is None:
            values = self._native(number)
        else:
            values = self._decoded(self.encapsulated[number], number)
        return values.reshape(self.layout.rows, self.layout.columns)

    def _native(self, number: int) -> NDArray[Any]:
        size = self.layout.rows * self.layout.columns
        if not self.is_packed:
            data = self._read(number * self.layout.n_bytes, self.layout.n_bytes)
            is_big = self.syntax == uid.ExplicitVRBigEndian
            dtype = self.layout.dtype.newbyteorder(">" if is_big else "<")
            return np.frombuffer(data, dtype).astype(self.layout.dtype, copy=False)
        # bits go on from frame to frame, the first of them lowest in its byte (PS3.5 8.1.1, D.2)
        start, stop = number * size, (number + 1) * size
        data = self._read(start // 8, -(-stop // 8) - start // 8)
        return _bits(data)[start % 8 :][:size]

    def _read(self, at: int, count: int) -> bytes:
        self.file.seek(self.offset + at)
        data = self.file.read(count)
        if len(data) != count:
            raise FormatError("file/truncated", "the pixel data end early")
        return data

    def _decoded(self, fragment: bytes | memoryview, number: int) -> NDArray[Any]:
        layout, size = self.layout, self.layout.rows * self.layout.columns
        packed_bytes = -(-size // 8)
        if self.syntax == DEFLATED_FRAMES:
            data = _inflated(fragment, packed_bytes if self.is_packed else layout.n_bytes)
            if self.is_packed:
                return _bits(data)[:size]
            return np.frombuffer(data, layout.dtype.newbyteorder("<")).astype(layout.dtype, copy=False)
        if self.is_packed and self.syntax == uid.RLELossless:
            # run lengths are of bytes, so each frame is packed by itself
            row = Layout(rows=1, columns=packed_bytes, bits_stored=8, dtype=np.dtype(np.uint8))
            return _bits(decode_frame(fragment, row, self.syntax, number=number).tobytes())[:size]
        return decode_frame(fragment, layout, self.syntax, number=number)


@contextmanager
def open_segmentation(path: Path, expected: Signature | None = None) -> Iterator[SegmentFrames]:
    """Open a segmentation; its frames are read as they are asked for.

    Raises:
        FormatError: the file is broken, is not the expected one, or is no segmentation that is read here.
    """
    with open_content(path, expected) as file:
        parsed = parse_object(file, None, WANTED, DEFAULT_LIMITS)
        header = Header(parsed.dataset)
        if kind_of_object(header, has_pixels=parsed.pixels) != "dicom-seg":
            raise FormatError("file/unsupported", "a DICOM object that is no segmentation")
        rows = frames_of(header, parsed.groups, "")
        about = segmentation_of(header, rows)
        count = len(rows)
        is_packed = header.integer("BitsAllocated") == 1
        layout = _layout(parsed.dataset, header, is_packed=is_packed)
        size = layout.rows * layout.columns * count
        needed = -(-size // 8) if is_packed else layout.n_bytes * count
        refuse_size(math.prod(about.lattice.grid.shape), limit_for(file.seek(0, 2)))
        offset, encapsulated = pixel_data(parsed, count, needed)
        if is_packed and encapsulated is None:
            _refuse_padding(parsed.survey, offset, needed)
        yield SegmentFrames(
            about=about,
            layout=layout,
            is_packed=is_packed,
            syntax=syntax_of(parsed.dataset),
            file=parsed.survey.source,
            offset=offset,
            encapsulated=encapsulated,
        )


def _refuse_padding(survey: Survey, offset: int, needed: int) -> None:
    """Refuse bits with more than a byte of padding: each frame may begin with a byte then, as no standard has it."""
    survey.source.seek(offset - 4)
    length = int.from_bytes(survey.source.read(4), "big" if survey.is_big else "little")
    if length not in {needed, needed + needed % 2}:
        raise FormatError(
            "file/corrupt",
            "the bits of the frames are not packed without padding",
            measured=f"{length} bytes",
            expected=f"{needed} bytes",
        )


def _layout(dataset: Any, header: Header, *, is_packed: bool) -> Layout:
    """The layout of one frame; a single bit is given a byte."""
    if is_packed:
        rows, columns = header.integer("Rows", 1, MAX_SIDE), header.integer("Columns", 1, MAX_SIDE)
        if rows is None or columns is None or header.integer("SamplesPerPixel") not in {None, 1}:
            raise FormatError("file/corrupt", "rows, columns or samples make no sense")
        return Layout(rows=rows, columns=columns, bits_stored=1, dtype=np.dtype(np.uint8))
    # the layout is that of one frame, and the colours of a label map are how to show it
    dataset.pop("NumberOfFrames", None)
    if header.text("PhotometricInterpretation") == "PALETTE COLOR":
        dataset.PhotometricInterpretation = "MONOCHROME2"
    layout = layout_of(dataset)
    if layout.dtype.kind != "u" or layout.dtype.itemsize > 2:
        raise FormatError("file/unsupported", "a pixel layout that is not read here")
    return layout


def _bits(data: bytes) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")


def _inflated(fragment: bytes | memoryview, needed: int) -> bytes:
    """One frame of Deflated Image Frame Compression (RFC 1951); one byte of padding may follow."""
    stream = zlib.decompressobj(wbits=-15)
    try:
        data = stream.decompress(fragment, needed + 1)
    except zlib.error:
        raise FormatError("file/corrupt", "a compressed frame is broken") from None
    if len(data) > needed or len(stream.unused_data) > 1:
        raise FormatError("file/corrupt", "a compressed frame holds more than its pixels")
    if len(data) < needed or not stream.eof:
        raise FormatError("file/truncated", "a compressed frame ends early")
    return data
