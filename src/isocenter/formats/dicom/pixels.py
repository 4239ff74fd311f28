"""Stored pixel values of one frame, whatever its transfer syntax."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import generate_frames

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular

_NATIVE = {
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
}
_JPEG_2000 = {uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
_JPEG_LS = {uid.JPEGLSLossless, uid.JPEGLSNearLossless}
_JPEG_LOSSLESS = {uid.JPEGLossless, uid.JPEGLosslessSV1}
_JPEG = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit}
MAX_SIDE = 65_535


def read_dataset(path: Path) -> Any:
    """The whole data set of one file; pixel data are checked when they are decoded."""
    try:
        with warnings.catch_warnings(), open_regular(path) as file:
            warnings.simplefilter("ignore")
            return pydicom.dcmread(file, force=True)
    except (EOFError, OSError) as error:
        raise FormatError("file/unreadable", f"the file cannot be read ({type(error).__name__})") from None
    except Exception as error:  # noqa: BLE001 - the one boundary that maps a parser's exceptions
        raise FormatError("file/corrupt", f"the data set is broken ({type(error).__name__})") from None


def stored_pixels(dataset: Any) -> NDArray[Any]:
    """Stored values (J, I) of a single-frame, single-sample image, native byte order.

    Raises:
        FormatError: the pixel data are missing, too short, or cannot be decoded.
    """
    rows, columns, dtype = _layout(dataset)
    data = dataset.get("PixelData")
    if not data:
        raise FormatError("file/truncated", "there are no pixel data")
    syntax = dataset.file_meta.get("TransferSyntaxUID", uid.ImplicitVRLittleEndian)
    if syntax in _NATIVE:
        return _native(data, rows, columns, dtype, is_big=syntax == uid.ExplicitVRBigEndian)
    return _as_stored(_decode(dataset, data, syntax), rows, columns, dtype)


def _layout(dataset: Any) -> tuple[int, int, np.dtype[Any]]:
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        bits, is_signed = int(dataset.BitsAllocated), bool(dataset.get("PixelRepresentation", 0))
        samples = int(dataset.get("SamplesPerPixel", 1))
    except (AttributeError, TypeError, ValueError):
        raise FormatError("file/corrupt", "rows, columns or bits are missing") from None
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE) or bits not in {8, 16, 32} or samples != 1:
        raise FormatError("file/unsupported", "a pixel layout that is not read here")
    return rows, columns, np.dtype(f"{'i' if is_signed else 'u'}{bits // 8}")


def _native(data: bytes, rows: int, columns: int, dtype: np.dtype[Any], *, is_big: bool) -> NDArray[Any]:
    needed = rows * columns * dtype.itemsize
    if len(data) < needed:
        raise FormatError(
            "file/truncated",
            "the pixel data end early",
            measured=f"{len(data)} bytes",
            expected=f"{needed} bytes",
        )
    stored = np.frombuffer(data, dtype.newbyteorder(">" if is_big else "<"), count=rows * columns)
    return stored.reshape(rows, columns).astype(dtype, copy=False)


def _decode(dataset: Any, data: bytes, syntax: str) -> NDArray[Any]:
    try:
        if syntax == uid.RLELossless:
            return np.asarray(dataset.pixel_array)
        frame = next(generate_frames(data, number_of_frames=1))
        if syntax in _JPEG_2000:
            return np.asarray(imagecodecs.jpeg2k_decode(frame))
        if syntax in _JPEG_LS:
            return np.asarray(imagecodecs.jpegls_decode(frame))
        if syntax in _JPEG_LOSSLESS:
            return np.asarray(imagecodecs.ljpeg_decode(frame))
        if syntax in _JPEG:
            return np.asarray(imagecodecs.jpeg8_decode(frame))
    except Exception as error:  # noqa: BLE001 - the one boundary that maps a codec's exceptions
        raise FormatError(
            "file/corrupt", f"the pixel data cannot be decoded ({type(error).__name__})"
        ) from None
    raise FormatError("file/unsupported", "a transfer syntax that cannot be decoded")


def _as_stored(decoded: NDArray[Any], rows: int, columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The decoded frame in the type that the header states: same bits, the header's sign."""
    if decoded.shape != (rows, columns) or decoded.dtype.kind not in "iu":
        raise FormatError(
            "file/corrupt",
            "the decoded frame has another size",
            measured=decoded.shape,
            expected=(rows, columns),
        )
    if decoded.dtype.itemsize == dtype.itemsize:
        return decoded.view(dtype)
    return decoded.astype(dtype)
