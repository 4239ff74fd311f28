"""From the files of one stack to a volume in physical units (PS3.3 C.7.6.3, C.11.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.bytes import MAX_BYTES, refuse_size
from isocenter.formats.dicom.file import read_dataset
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.pixels import stored_pixels
from isocenter.imaging.intensity import invert_monochrome1, to_float, to_hounsfield, valid_of_padding
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import AxisPosition, Slice, Volume

AIR_HU = -1024
_RADIOGRAPHS = {"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF"}
_PET_UNITS = {"BQML": "Bq/ml", "CNTS": "counts"}
# SUV Type (0054,1006) of values in g/ml; where it is absent, body weight is meant (C.8.9.1).
_SUV_TYPES = {
    "": "SUVbw",
    "BW": "SUVbw",
    "LBM": "SUVlbm",
    "LBMJAMES128": "SUVlbm",
    "LBMJANMA": "SUVlbm",
    "BSA": "SUVbsa",
    "IBW": "SUVibw",
}


@dataclass(slots=True)
class _Counts:
    """What was met while reading the slices of one stack."""

    padding: int = 0
    beyond_bits: int = 0
    inverted: int = 0
    suv_type: str = ""
    saturated: int = 0


def read_volume(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read every slice of a stack once, straight into the volume.

    Raises:
        FormatError: a file is broken, or is not the one that was indexed.
    """
    if stack.multi_frame:
        raise FormatError("file/unsupported", "a multi-frame object")
    if len(paths) != stack.shape[0]:
        raise FormatError("file/changed", "another number of slices than when the stack was indexed")
    refuse_size(math.prod(stack.shape) * _dtype_of(stack).itemsize, MAX_BYTES)
    counts = _Counts()
    array: NDArray[Any] = np.empty(stack.shape, _dtype_of(stack))
    valid: NDArray[np.bool_] | None = None
    for k, path in enumerate(paths):
        dataset = read_dataset(path)
        stored = stored_pixels(dataset)
        if stored.shape != stack.shape[1:]:
            raise FormatError("file/changed", "a slice has another size than when it was indexed")
        header = Header(dataset)
        counts.suv_type = header.text("SUVType") or ""
        real = _valid(stored, header)
        _count_beyond_bits(stored, header, real, counts)
        array[k] = _values(_oriented(stored, stack, header, counts), header, stack, real, counts)
        if real is not None:
            valid = np.ones(stack.shape, np.bool_) if valid is None else valid
            valid[k] = real
            counts.padding += int(real.size - np.count_nonzero(real))
    return Volume(
        id=stack.id,
        array=array,
        grid=stack.grid,
        unit=unit_of(stack, counts.suv_type),
        modality=stack.modality,
        valid=valid,
        slices=slices_of(stack),
        attributes=stack.attributes,
        issues=tuple(_issues(stack, counts, array.size)),
        provenance={"reader": "dicom"},
        axis=axis_of(stack),
    )


def slices_of(stack: Stack) -> tuple[Slice, ...]:
    """The slice table of a stack: which object, file and frame each plane came from."""
    rows = zip(_positions(stack), stack.instances, stack.files, stack.frames, strict=True)
    return tuple(Slice(position_mm=z, instance=i, file=f, frame=n) for z, i, f, n in rows)


def axis_of(stack: Stack) -> AxisPosition | None:
    """Where a stack stands on the fourth axis of its group."""
    if not stack.axis:
        return None
    return AxisPosition(
        name=stack.axis, index=stack.axis_index, count=stack.axis_count, value=stack.axis_value
    )


def unit_of(stack: Stack, suv_type: str = "") -> str:
    """Unit of the values that reading the stack gives; `suv_type` is what they are normalised by."""
    if stack.modality == "CT":
        return "HU"
    if stack.modality == "PT":
        if stack.pet_units == "GML":
            return _SUV_TYPES.get(suv_type, "arbitrary")
        return _PET_UNITS.get(stack.pet_units, "arbitrary")
    return "arbitrary" if _is_scaled(stack) else "stored"


def _is_scaled(stack: Stack) -> bool:
    return {*stack.rescale_slopes, 1.0} != {1.0} or {*stack.rescale_intercepts, 0.0} != {0.0}


def _dtype_of(stack: Stack) -> np.dtype[Any]:
    """int16 for HU; stored integers where they say it all; else float32."""
    if stack.modality == "CT":
        return np.dtype(np.int16)
    if stack.modality == "PT" or _is_scaled(stack) or stack.dtype not in {"int16", "uint16", "uint8"}:
        return np.dtype(np.float32)
    return np.dtype(stack.dtype)


def _values(
    stored: NDArray[Any], header: Header, stack: Stack, valid: NDArray[np.bool_] | None, counts: _Counts
) -> NDArray[Any]:
    """Modality LUT of one slice (C.11.1.1); padding becomes background."""
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if {"RescaleSlope", "RescaleIntercept"} & set(header.unparsable):
        raise FormatError("read/values", "the rescale values cannot be used")
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    plane, mask = stored[None], None if valid is None else valid[None]
    if stack.modality == "CT":
        hounsfield, saturated = to_hounsfield(plane, slope, intercept, valid=mask, background=AIR_HU)
        counts.saturated += saturated
        return np.asarray(hounsfield[0])
    if _dtype_of(stack).kind == "f":
        values = np.asarray(to_float(plane, slope, intercept, valid=mask)[0])
        if not (np.isfinite(values.min()) and np.isfinite(values.max())):
            raise FormatError("read/values", "scaled values beyond 32-bit floats")
        return values
    return stored if valid is None else np.where(valid, stored, stored.dtype.type(0))


def _oriented(stored: NDArray[Any], stack: Stack, header: Header, counts: _Counts) -> NDArray[Any]:
    """MONOCHROME1 turned in its stored range on radiographs; never on values that have a meaning (HU, SUV)."""
    if stack.photometric != "MONOCHROME1" or stack.modality not in _RADIOGRAPHS:
        return stored
    bits = header.integer("BitsStored") or stored.dtype.itemsize * 8
    counts.inverted += 1
    return invert_monochrome1(stored, bits, is_signed=stored.dtype.kind == "i")


def _valid(stored: NDArray[Any], header: Header) -> NDArray[np.bool_] | None:
    """Pixels that are no padding; value and range limit are in stored space (C.7.5.1.1.2)."""
    value, limit = header.integer("PixelPaddingValue"), header.integer("PixelPaddingRangeLimit")
    if value is None:
        return None
    low = _signed(value, stored.dtype)
    return valid_of_padding(stored, low, None if limit is None else _signed(limit, stored.dtype))


def _signed(value: int, dtype: np.dtype[Any]) -> int:
    """The padding value read with the sign of the pixels: 63536 is -2000 where they are signed."""
    bits = dtype.itemsize * 8
    if dtype.kind == "i" and value >= 1 << (bits - 1):
        return value - (1 << bits)
    return value + (1 << bits) if dtype.kind == "u" and value < 0 else value


def _count_beyond_bits(
    stored: NDArray[Any], header: Header, valid: NDArray[np.bool_] | None, counts: _Counts
) -> None:
    bits = header.integer("BitsStored")
    if bits is None or bits >= stored.dtype.itemsize * 8:
        return
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if stored.dtype.kind == "i" else (0, (1 << bits) - 1)
    )
    if stored.min() < low or stored.max() > high:
        outside = (stored < low) | (stored > high)
        counts.beyond_bits += int(np.count_nonzero(outside if valid is None else outside & valid))


def _positions(stack: Stack) -> tuple[float, ...]:
    return stack.positions_mm or tuple(float(k) for k in range(stack.shape[0]))


def _issues(stack: Stack, counts: _Counts, size: int) -> list[Issue]:
    out = []
    if counts.padding:
        share = f"{100 * counts.padding / size:.2f}"
        out.append(because("read/padding-masked", target=stack.id, measured=share, unit="% of voxels"))
    if counts.beyond_bits:
        out.append(
            because("read/bits", target=stack.id, measured=counts.beyond_bits, expected=0, unit="voxels")
        )
    if counts.saturated:
        out.append(
            because("read/saturated", target=stack.id, measured=counts.saturated, expected=0, unit="voxels")
        )
    if counts.inverted:
        out.append(because("read/inverted", target=stack.id))
    return out
