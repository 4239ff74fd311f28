"""One open object of several frames: any of its planes as stored, and how their values come about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.bytes import MAX_BYTES, open_content, refuse_size
from isocenter.formats.dicom.file import ParsedFile, parse_object
from isocenter.formats.dicom.fragments import Encapsulated, find_frames
from isocenter.formats.dicom.frames import WANTED, frames_of
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.layout import DEFLATED_FRAMES, NATIVE, Layout, compare, layout_of, syntax_of
from isocenter.formats.dicom.mosaic import is_mosaic, tiles_of
from isocenter.formats.dicom.pixels import PendingFrame, begin_frame
from isocenter.formats.dicom.planes import Plane, plane_of
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.rows import FrameRow

_UNDEFINED = 0xFFFFFFFF
_PIXEL_DATA = 0x7FE00010
_LONG_VR = {b"OB", b"OW", b"UN"}
# Codestreams in which any byte may stand anywhere (PS3.5 annex G, A.4.13).
_MARKERLESS = {uid.RLELossless, DEFLATED_FRAMES}
_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class FrameSource:
    """The frames of one object whose file is open.

    Args:
        rows: A row for each frame.
        shared: How stored values become values, as far as the object says it of all frames.
        layout: Size and type of one plane; of a mosaic, of the whole picture.
        syntax: The transfer syntax.
        file: The open file, or what it inflates to.
        offset: Where native pixel data begin in it.
        encapsulated: The frames of compressed pixel data, None where they are native.
    """

    rows: tuple[FrameRow, ...]
    shared: Plane
    layout: Layout
    syntax: str
    file: BinaryIO
    offset: int
    encapsulated: Encapsulated | None

    def stored(self, frames: Sequence[int]) -> Iterator[NDArray[Any]]:
        """Stored values of some frames, (J, I) each, in the byte order of the machine.

        Raises:
            FormatError: there is no such frame, or it cannot be read.
        """
        windows = [self._row(n).window for n in frames]
        # all tiles of a mosaic lie in one plane
        places = [0 if window else n for n, window in zip(frames, windows, strict=True)]
        if len(set(places)) == 1 < len(places):
            (plane,) = self._planes(places[:1])
            planes = iter([plane] * len(places))
        else:
            planes = self._planes(places)
        for plane, window in zip(planes, windows, strict=True):
            if window:
                top, left, rows, columns = window
                yield np.ascontiguousarray(plane[top : top + rows, left : left + columns])
            else:
                yield plane

    @property
    def is_plain(self) -> bool:
        """Whether a frame can be read to any place as it is in the file."""
        is_swapped = self.syntax == uid.ExplicitVRBigEndian
        return self.encapsulated is None and not is_swapped and not any(row.window for row in self.rows)

    def read_into(self, frame: int, place: NDArray[Any]) -> None:
        """Read a frame of a plain object to a place of its size.

        Raises:
            FormatError: there is no such frame, or it cannot be read.
        """
        self._row(frame)
        self._fill(frame, place)

    def plane(self, frame: int) -> Plane:
        """How the values of one frame come about: by its Pixel Value Transformation, else by that of the object.

        Raises:
            FormatError: there is no such frame, or the rescale values cannot be used.
        """
        row, shared = self._row(frame), self.shared
        if {"RescaleSlope", "RescaleIntercept"} & {*row.unparsable}:
            raise FormatError("read/values", "the rescale values cannot be used")
        slope = shared.slope if row.rescale_slope is None else row.rescale_slope
        intercept = shared.intercept if row.rescale_intercept is None else row.rescale_intercept
        return replace(shared, slope=slope, intercept=intercept)

    def _row(self, frame: int) -> FrameRow:
        if not 0 <= frame < len(self.rows):
            raise FormatError("file/changed", "another number of frames than when the stack was indexed")
        return self.rows[frame]

    def _planes(self, places: Sequence[int]) -> Iterator[NDArray[Any]]:
        if self.encapsulated is None:
            yield from map(self._native, places)
            return
        pending: PendingFrame | None = None
        for n, place in enumerate(places):
            # the next frame is decoded while the last one is worked on
            following = begin_frame(self.encapsulated[place], self.layout, self.syntax, number=n)
            if pending is not None:
                yield pending.result()
            pending = following
        if pending is not None:
            yield pending.result()

    def _native(self, place: int) -> NDArray[Any]:
        layout, is_big = self.layout, self.syntax == uid.ExplicitVRBigEndian
        dtype = layout.dtype.newbyteorder(">" if is_big else "<")
        out: NDArray[Any] = np.empty((layout.rows, layout.columns), dtype)
        self._fill(place, out)
        return out.astype(layout.dtype, copy=False)

    def _fill(self, place: int, out: NDArray[Any]) -> None:
        self.file.seek(self.offset + place * self.layout.n_bytes)
        if cast("BufferedReader", self.file).readinto(out.data.cast("B")) != self.layout.n_bytes:
            raise FormatError("file/truncated", "the pixel data end early")


@contextmanager
def open_frames(
    path: Path, limits: Limits = DEFAULT_LIMITS, expected: Signature | None = None
) -> Iterator[FrameSource]:
    """Open an object of several frames, or a mosaic; its pixels are read as they are asked for.

    Raises:
        FormatError: the file is broken, is not the expected one, or its pixels are none that are read here.
    """
    with open_content(path, expected) as file:
        parsed = parse_object(file, None, WANTED, limits)
        header = Header(parsed.dataset)
        count = header.integer("NumberOfFrames", 1) or 1
        rows = frames_of(header, parsed.groups, "")
        if not rows and is_mosaic(header.texts("ImageType"), count):
            rows = tiles_of(parsed.dataset)
        shared = plane_of(parsed.dataset)
        # the layout is that of one frame
        parsed.dataset.pop("NumberOfFrames", None)
        layout = layout_of(parsed.dataset)
        offset, encapsulated = pixel_data(parsed, count, layout.n_bytes * count)
        yield FrameSource(
            rows=rows,
            shared=shared,
            layout=layout,
            syntax=syntax_of(parsed.dataset),
            file=parsed.survey.source,
            offset=offset,
            encapsulated=encapsulated,
        )


def pixel_data(parsed: ParsedFile, count: int, needed_bytes: int) -> tuple[int, Encapsulated | None]:
    """Where native pixel data begin, or what is compressed frame by frame.

    Args:
        parsed: The object.
        count: Number of frames.
        needed_bytes: Bytes that they need natively, all together.
    """
    survey, source = parsed.survey, parsed.survey.source
    if survey.pixels is None:
        raise FormatError("file/truncated", "there are no pixel data")
    source.seek(survey.pixels)
    head = source.read(12)
    order: Literal["big", "little"] = "big" if survey.is_big else "little"
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag != _PIXEL_DATA or not (survey.is_implicit or head[4:6] in _LONG_VR):
        raise FormatError("file/unsupported", "the pixels are no whole numbers")
    # the VR of pixel data has a length of four bytes behind two that are reserved (PS3.5 7.1.2)
    start = 4 if survey.is_implicit else 8
    length = int.from_bytes(head[start : start + 4], order)
    offset = survey.pixels + start + 4
    if (length == _UNDEFINED) == (syntax_of(parsed.dataset) in NATIVE):
        raise FormatError("file/corrupt", "the pixel data are not written as the transfer syntax says")
    if length != _UNDEFINED:
        compare(length, needed_bytes)
        return offset, None
    size = source.seek(0, 2)
    refuse_size(size - offset, MAX_BYTES)
    source.seek(offset)
    tables = [parsed.dataset.get(name) for name in _TABLES]
    extended = None if None in tables else (bytes(tables[0]), bytes(tables[1]))
    return offset, find_frames(
        source.read(size - offset),
        count,
        extended=extended,
        has_markers=syntax_of(parsed.dataset) not in _MARKERLESS,
    )
