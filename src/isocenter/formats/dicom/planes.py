"""What one slice's header says of its pixels: their type, what is padding, and how they become values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header

OVERLAY_GROUPS = tuple(range(0x6000, 0x6020, 2))
_OVERLAY_BITS, _OVERLAY_DATA = 0x0100, 0x3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """How the stored values of one slice become values.

    Args:
        slope: Rescale Slope (0028,1053), 1 where there is none.
        intercept: Rescale Intercept (0028,1052), 0 where there is none.
        bits_stored: Bits Stored (0028,0101); None where it is not stated.
        padding: Pixel Padding Value (0028,0120) as it stands in the header; None where there is none.
        padding_limit: Pixel Padding Range Limit (0028,0121), likewise.
        suv_type: What values in g/ml are normalised by, "" where it is not stated.
        has_overlay: Whether an overlay lies in bits of the pixels that hold no value.
    """

    slope: float = 1.0
    intercept: float = 0.0
    bits_stored: int | None = None
    padding: int | None = None
    padding_limit: int | None = None
    suv_type: str = ""
    has_overlay: bool = False

    @property
    def offset(self) -> int | None:
        """The whole number that makes stored values into values when it is added; None where there is more to do."""
        is_whole = self.slope == 1.0 and self.intercept.is_integer() and abs(self.intercept) < 1 << 31
        return int(self.intercept) if is_whole else None

    def padding_of(self, dtype: np.dtype[Any]) -> tuple[int, int | None] | None:
        """Padding value and limit read with the sign of the pixels (C.7.5.1.1.2); None where nothing is padding."""
        if self.padding is None:
            return None
        limit = None if self.padding_limit is None else _signed(self.padding_limit, dtype)
        return _signed(self.padding, dtype), limit

    def range_of(self, dtype: np.dtype[Any]) -> tuple[int, int] | None:
        """Lowest and highest value that the stored bits can hold; None where no value can be beyond."""
        if self.bits_stored is None or self.bits_stored >= dtype.itemsize * 8:
            return None
        half = 1 << (self.bits_stored - 1)
        return (-half, half - 1) if dtype.kind == "i" else (0, 2 * half - 1)


def plane_of(dataset: Any) -> Plane:
    """What a data set says of its pixels.

    Raises:
        FormatError: the rescale values cannot be used.
    """
    header = Header(dataset)
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if header.unparsable:
        raise FormatError("read/values", "the rescale values cannot be used")
    return Plane(
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        bits_stored=header.integer("BitsStored"),
        padding=header.integer("PixelPaddingValue"),
        padding_limit=header.integer("PixelPaddingRangeLimit"),
        suv_type=header.text("SUVType") or "",
        has_overlay=any(_is_embedded(dataset, group) for group in OVERLAY_GROUPS),
    )


def _is_embedded(dataset: Any, group: int) -> bool:
    """Whether an overlay lies among the pixels and not in data of its own, as was allowed until 2004 (PS3.3 C.9.2)."""
    bits = dataset.get((group, _OVERLAY_BITS))
    return bits is not None and bits.value != 1 and (group, _OVERLAY_DATA) not in dataset


def _signed(value: int, dtype: np.dtype[Any]) -> int:
    """The padding value read with the sign of the pixels: 63536 is -2000 where they are signed."""
    bits = dtype.itemsize * 8
    if dtype.kind == "i" and value >= 1 << (bits - 1):
        return value - (1 << bits)
    return value + (1 << bits) if dtype.kind == "u" and value < 0 else value
