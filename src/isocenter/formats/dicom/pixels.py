"""Stored pixel values of one frame, whatever its transfer syntax."""

from __future__ import annotations

import itertools
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import generate_frames

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom import codestream
from isocenter.formats.dicom.codestream import Codestream
from isocenter.formats.dicom.layout import NATIVE, Layout, compare, layout_of, syntax_of

_JPEG_2000 = {uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
_DECODERS = {
    **dict.fromkeys(_JPEG_2000, imagecodecs.jpeg2k_decode),
    **dict.fromkeys((uid.JPEGLSLossless, uid.JPEGLSNearLossless), imagecodecs.jpegls_decode),
    **dict.fromkeys((uid.JPEGLossless, uid.JPEGLosslessSV1), imagecodecs.ljpeg_decode),
    **dict.fromkeys((uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit), imagecodecs.jpeg8_decode),
}
_RLE_HEADER = 64


def stored_pixels(dataset: Any) -> NDArray[Any]:
    """Stored values (J, I) of a single-frame, single-sample image, native byte order.

    Raises:
        FormatError: the pixel data are missing, too short, or cannot be decoded.
    """
    with parsing("the pixel data"):
        layout = layout_of(dataset)
        element = dataset.get_item("PixelData")
        if element is None or not element.value:
            raise FormatError("file/truncated", "there are no pixel data")
        data, syntax = element.value, syntax_of(dataset)
        is_encapsulated = getattr(element, "is_undefined_length", False) or element.length == 0xFFFFFFFF
        if syntax in NATIVE:
            if is_encapsulated:
                raise FormatError(
                    "file/corrupt", "the pixel data are encapsulated, the transfer syntax is not"
                )
            return _native(data, layout, is_big=syntax == uid.ExplicitVRBigEndian)
        if syntax != uid.RLELossless and syntax not in _DECODERS:
            raise FormatError("file/unsupported", "a transfer syntax that cannot be decoded")
        frames = list(generate_frames(data, number_of_frames=1))
        if len(frames) != 1:
            raise FormatError("file/corrupt", "several frames where one is stated", measured=len(frames))
        if syntax == uid.RLELossless:
            return _rle(frames[0], layout)
        return _decode(frames[0], syntax, layout)


def _native(data: bytes, layout: Layout, *, is_big: bool) -> NDArray[Any]:
    compare(len(data), layout.n_bytes)
    dtype = layout.dtype.newbyteorder(">" if is_big else "<")
    stored = np.frombuffer(data, dtype, count=layout.rows * layout.columns)
    return stored.reshape(layout.rows, layout.columns).astype(layout.dtype, copy=False)


def _decode(frame: bytes, syntax: str, layout: Layout) -> NDArray[Any]:
    """Decode a frame whose own markers agree with the header."""
    stated = codestream.jpeg_2000(frame) if syntax in _JPEG_2000 else codestream.jpeg(frame)
    if stated.components != 1:
        raise FormatError("file/unsupported", "the pixels are colours")
    if (stated.rows, stated.columns) != (layout.rows, layout.columns):
        raise FormatError(
            "file/corrupt",
            "the compressed frame has another size than the header",
            measured=f"{stated.rows} x {stated.columns}",
            expected=f"{layout.rows} x {layout.columns}",
        )
    if stated.precision > 8 * layout.dtype.itemsize:
        raise FormatError("file/corrupt", "the compressed frame has more bits than are allocated")
    decoded = np.asarray(_DECODERS[uid.UID(syntax)](frame))
    if decoded.shape != (layout.rows, layout.columns) or decoded.dtype.kind not in "iu":
        raise FormatError("file/corrupt", "the decoded frame has another size")
    return _as_stored(decoded, stated, layout)


def _as_stored(decoded: NDArray[Any], stated: Codestream, layout: Layout) -> NDArray[Any]:
    """The decoded frame in the type that the header states.

    Only JPEG 2000 knows signs. The other streams hold the bits of a signed value as if it were unsigned, so
    its sign bit is the highest of the stored bits, which some encoders extend and some do not (PS3.5 8.2).
    """
    is_signed = layout.dtype.kind == "i"
    if stated.is_signed and not is_signed and decoded.min() < 0:
        raise FormatError("read/values", "the compressed values are signed, the header's are not")
    if stated.is_signed or not is_signed:
        return decoded.astype(layout.dtype, copy=False)
    return _extended(decoded.astype(layout.dtype, copy=False), min(stated.precision, layout.bits_stored))


def _extended(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Signed values whose sign bit is the last of so many; as they are where that cannot be what they mean."""
    if values.min() < -(1 << (bits - 1)) or int(values.max()) >= 1 << bits:
        return values
    shift = 8 * values.dtype.itemsize - bits
    return np.asarray((values << shift) >> shift)


def _rle(frame: bytes, layout: Layout) -> NDArray[Any]:
    """RLE Lossless: one PackBits segment per byte of a value, the most significant first (PS3.5 G)."""
    count, size = layout.dtype.itemsize, layout.rows * layout.columns
    header = np.frombuffer(frame[:_RLE_HEADER], "<u4")
    offsets = [int(n) for n in header[1 : count + 1]] + [len(frame)]
    if int(header[0]) != count or offsets[0] < _RLE_HEADER or sorted(offsets) != offsets:
        raise FormatError("file/corrupt", "the RLE header does not fit the allocated bits")
    out = np.empty((layout.rows, layout.columns, count), np.uint8)
    for n, (start, stop) in enumerate(itertools.pairwise(offsets)):
        # as much room as a padded segment needs: a segment that swells beyond it is refused by the decoder
        segment = np.frombuffer(imagecodecs.packbits_decode(frame[start:stop], out=size + 128), np.uint8)
        if segment.size < size:
            raise FormatError("file/truncated", "an RLE segment ends early")
        out[:, :, count - 1 - n] = segment[:size].reshape(layout.rows, layout.columns)
    return out.view(layout.dtype.newbyteorder("<")).reshape(layout.rows, layout.columns)
