"""Stored pixel values of one frame, whatever its transfer syntax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.base.sandbox import Call
from isocenter.formats.boundary import parsing, refusing
from isocenter.formats.dicom import codestream, decoders
from isocenter.formats.dicom.codestream import Codestream
from isocenter.formats.dicom.decoders import Decoding
from isocenter.formats.dicom.fragments import find_frames
from isocenter.formats.dicom.layout import NATIVE, Layout, compare, layout_of, syntax_of
from isocenter.formats.dicom.run_lengths import decode_runs

# PS3.3 C.7.6.24 and C.7.6.25: parametric maps have them, and no other kind of image.
_FLOATS = ("FloatPixelData", "DoubleFloatPixelData")


def stored_pixels(dataset: Any, *, number: int = 0) -> NDArray[Any]:
    """Stored values (J, I) of a single-frame, single-sample image, native byte order.

    Args:
        dataset: The data set with its pixel data.
        number: Place of the image in its stack, see `begin_frame`.

    Raises:
        FormatError: the pixel data are missing, too short, or cannot be decoded.
    """
    with parsing("the pixel data"):
        if any(keyword in dataset for keyword in _FLOATS):
            # what they measure is told by Real World Value Mappings alone, of which there may be several (C.7.6.16.2.11)
            raise FormatError("file/unsupported", "the pixels are floats, of no unit that the object names")
        layout, syntax = layout_of(dataset), syntax_of(dataset)
        element = dataset.get_item("PixelData")
        if element is None or not element.value:
            raise FormatError("file/truncated", "there are no pixel data")
        is_encapsulated = getattr(element, "is_undefined_length", False) or element.length == 0xFFFFFFFF
        if syntax in NATIVE:
            if is_encapsulated:
                raise FormatError(
                    "file/corrupt", "the pixel data are encapsulated, the transfer syntax is not"
                )
            return _native(element.value, layout, is_big=syntax == uid.ExplicitVRBigEndian)
        refuse_syntax(syntax)
        frame = _only_frame(dataset, element.value, has_markers=syntax != uid.RLELossless)
    return decode_frame(frame, layout, syntax, number=number)


def _only_frame(dataset: Any, value: bytes, *, has_markers: bool) -> bytes | memoryview:
    tables = [dataset.get(name) for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    extended = None if None in tables else (bytes(tables[0]), bytes(tables[1]))
    return find_frames(value, extended=extended, is_value=True, has_markers=has_markers)[0]


def decode_frame(
    fragment: bytes | memoryview, layout: Layout, syntax: str, *, number: int = 0
) -> NDArray[Any]:
    """Stored values (J, I) of one compressed frame; `begin_frame` and its result in one."""
    return begin_frame(fragment, layout, syntax, number=number).result()


@dataclass(frozen=True, slots=True, eq=False)
class PendingFrame:
    """A compressed frame that is being decoded by another process."""

    layout: Layout
    stated: Codestream | None = None
    decoding: Decoding | None = None
    runs: NDArray[Any] | None = None
    second_runs: Call | None = None

    def result(self) -> NDArray[Any]:
        """Stored values (J, I), native byte order.

        Raises:
            FormatError: the frame is broken, its decoder died or took too much, or two decoders disagree.
        """
        if self.decoding is not None and self.stated is not None:
            return _as_stored(self.decoding.result(), self.stated, self.layout)
        assert self.runs is not None
        if self.second_runs is not None:
            decoders.compare_runs(self.runs, self.second_runs)
        return self.runs


def begin_frame(
    fragment: bytes | memoryview,
    layout: Layout,
    syntax: str,
    *,
    number: int = 0,
    into: NDArray[Any] | None = None,
) -> PendingFrame:
    """Begin to decode a frame; up to two are decoded while the caller does something else.

    Args:
        fragment: The codestream of the frame, whole.
        layout: What the header says of it.
        syntax: The transfer syntax.
        number: Place of the frame in its stack: the first and every 100th are read by two decoders, where there are
            two.
        into: Where the values may go, of the size of the frame and contiguous; they may be elsewhere all the same.

    Raises:
        FormatError: the codestream ends early, or its own header is not that of the object.
    """
    # what is compiled may warn; a codestream is only looked at
    with (parsing if syntax == uid.RLELossless else refusing)("the compressed frame"):
        refuse_syntax(syntax)
        if layout.n_bytes > decoders.MAX_FRAME_BYTES:
            raise FormatError(
                "file/too-large",
                "a compressed frame would become larger than the limit",
                measured=f"{layout.n_bytes} bytes",
                expected=f"at most {decoders.MAX_FRAME_BYTES}",
            )
        runs = decode_runs(fragment, layout) if syntax == uid.RLELossless else None
        stated = _stated(fragment, syntax, layout) if runs is None else None
    is_checked = number % decoders.FRAMES_PER_CHECK == 0
    if stated is not None:
        decoding = Decoding(fragment, syntax, stated, is_checked=is_checked, into=into)
        return PendingFrame(layout, stated=stated, decoding=decoding)
    assert runs is not None
    return PendingFrame(
        layout, runs=runs, second_runs=decoders.begin_runs(fragment, runs) if is_checked else None
    )


def refuse_syntax(syntax: str) -> None:
    """Refuse a transfer syntax that no decoder here is trusted with."""
    if syntax not in decoders.SUPPORTED:
        raise FormatError("file/unsupported", "a transfer syntax that cannot be decoded")


def _native(data: bytes, layout: Layout, *, is_big: bool) -> NDArray[Any]:
    compare(len(data), layout.n_bytes)
    dtype = layout.dtype.newbyteorder(">" if is_big else "<")
    stored = np.frombuffer(data, dtype, count=layout.rows * layout.columns)
    return stored.reshape(layout.rows, layout.columns).astype(layout.dtype, copy=False)


def _stated(frame: bytes | memoryview, syntax: str, layout: Layout) -> Codestream:
    """What a codestream says of itself, where that agrees with the header."""
    is_jpeg_2000 = syntax in decoders.JPEG_2000
    stated = codestream.jpeg_2000(frame) if is_jpeg_2000 else codestream.jpeg(frame)
    if not is_jpeg_2000 and stated.process not in decoders.PROCESSES[syntax]:
        raise FormatError(
            "file/corrupt", "the compressed frame is of another process than the transfer syntax"
        )
    if stated.components != 1:
        raise FormatError("file/unsupported", "the pixels are colours")
    if (stated.rows, stated.columns) != (layout.rows, layout.columns):
        raise FormatError(
            "file/corrupt",
            "the compressed frame has another size than the header",
            measured=f"{stated.rows} x {stated.columns}",
            expected=f"{layout.rows} x {layout.columns}",
        )
    # of a segmentation a sample may be one bit, which no JPEG process but JPEG 2000 knows
    if not 2 - is_jpeg_2000 <= stated.precision <= 8 * layout.dtype.itemsize:
        raise FormatError("file/corrupt", "the compressed frame has more bits than are allocated")
    codestream.refuse_cut(frame)
    if 8 * len(frame) < codestream.least_bits(stated):
        raise FormatError(
            "file/truncated",
            "the compressed frame has fewer bits than its pixels need",
            measured=f"{len(frame)} bytes",
            expected=f"at least {codestream.least_bits(stated) // 8}",
        )
    return stated


def _as_stored(decoded: NDArray[Any], stated: Codestream, layout: Layout) -> NDArray[Any]:
    """The decoded frame in the type that the header states.

    Where the codestream says what its values are, that counts (PS3.5 8.2.4). Only JPEG 2000 knows signs; the others, and
    JPEG 2000 of writers who leave the sign out, hold the bits of a signed value as if it were unsigned.

    Raises:
        FormatError: stream and header contradict each other, so that nobody knows which values are meant.
    """
    is_signed = layout.dtype.kind == "i"
    if stated.is_signed and not is_signed and decoded.min() < 0:
        raise FormatError("read/values", "the compressed values are signed, the header's are not")
    if stated.is_signed or not is_signed:
        return decoded.astype(layout.dtype, copy=False)
    least, most = int(decoded.min()), int(decoded.max())
    half = 1 << (min(stated.precision, layout.bits_stored) - 1)
    if most < half:
        return decoded.astype(layout.dtype, copy=False)
    if stated.precision < layout.bits_stored:
        # a writer who left out high bits of signed values, or one whose values have no sign
        raise FormatError(
            "read/values",
            "nobody knows whether the compressed values have a sign: they have fewer bits than the header's",
            measured=f"{stated.precision} bits",
            expected=f"{layout.bits_stored} bits",
        )
    if stated.is_transformed and least < half:
        raise FormatError("read/values", "signed values were compressed with loss as if they had no sign")
    # some encoders extend the sign bit to all bits of the stream, and some do not
    bits = layout.bits_stored if most < 2 * half else stated.precision
    shift = 8 * layout.dtype.itemsize - bits
    values = decoded.astype(layout.dtype, copy=False)
    return np.asarray((values << shift) >> shift) if shift else values
