"""A volume as it is put together from its slices, each of which is touched once while it is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base import recycled
from isocenter.base.errors import FormatError
from isocenter.formats.dicom.planes import Plane
from isocenter.imaging.facts import Seen, look
from isocenter.imaging.intensity import invert_monochrome1, to_float, to_hounsfield
from isocenter.imaging.stored import add_in_place, count_beyond, keep_low_bits, mark_padding
from isocenter.model.radiograph import is_negative
from isocenter.model.rows import Stack

AIR_HU = -1024


@dataclass(slots=True)
class Counts:
    """What was met while reading the slices of one stack."""

    padding: int = 0
    beyond_bits: int = 0
    inverted: int = 0
    overlay: int = 0
    suv_type: str = ""
    saturated: int = 0


class Assembly:
    """The volume of a stack while it is read.

    Args:
        stack: The stack.
        dtype: Type of its values: int16 for HU, float32, or that of the stored values.
    """

    def __init__(self, stack: Stack, dtype: np.dtype[Any]) -> None:
        self.array: NDArray[Any] = recycled.empty(stack.shape, dtype)
        self.valid: NDArray[np.bool_] | None = None
        self.counts = Counts()
        self.seen: list[Seen] = []
        self._is_ct = stack.modality == "CT"
        self._is_inverted = is_negative(
            stack.modality, stack.photometric, stack.rescale_type, has_modality_lut=stack.has_modality_lut
        )
        self._background = AIR_HU if self._is_ct else 0
        self._flags = np.empty(stack.shape[1:], np.bool_)
        self._buffer: NDArray[np.uint8] = np.empty(0, np.uint8)

    def place(self, k: int, shape: tuple[int, int], dtype: np.dtype[Any], plane: Plane) -> NDArray[Any]:
        """Where the stored values of a slice are to be read to: the volume itself, where they can stay in it.

        Raises:
            FormatError: the slice has another size than it had.
        """
        own = self.own_place(k, shape, dtype, plane)
        if own is not None:
            return own
        size = shape[0] * shape[1] * dtype.itemsize
        if self._buffer.size < size:
            self._buffer = np.empty(size, np.uint8)
        return np.asarray(self._buffer[:size].view(dtype).reshape(shape))

    def own_place(
        self, k: int, shape: tuple[int, int], dtype: np.dtype[Any], plane: Plane
    ) -> NDArray[Any] | None:
        """The place of a slice in the volume, in the type of its stored values; None where they cannot stay there.

        Raises:
            FormatError: the slice has another size than it had.
        """
        self._refuse_shape(shape)
        return np.asarray(self.array[k].view(dtype)) if self._can_stay(dtype, plane) else None

    def put(self, k: int, stored: NDArray[Any], plane: Plane) -> None:
        """Turn the stored values of the next slice into values of the volume.

        Args:
            k: Its number.
            stored: Its stored values, in the place that was told or anywhere else.
            plane: How they become values.

        Raises:
            FormatError: it has another size than it had, or its values cannot be used.
        """
        self._refuse_shape(stored.shape)
        self._refuse_other(plane)
        if plane.has_overlay:
            stored = self._without_overlay(stored, plane)
        flags = self._flags_of(stored, plane)
        seen, is_there = None, np.may_share_memory(stored, self.array)
        if not is_there and self._can_stay(stored.dtype, plane):
            place = self.array[k].view(stored.dtype)
            place[...] = stored  # one copy, and all else in one pass over it
            stored, is_there = place, True
        if is_there:
            seen = self._stay(stored, plane, flags)
            if seen is None:
                stored = stored.copy()
        self.seen.append(self._convert(k, stored, plane, flags) if seen is None else seen)
        if flags is not None:
            self.valid = np.ones(self.array.shape, np.bool_) if self.valid is None else self.valid
            self.valid[k] = flags

    def _refuse_other(self, plane: Plane) -> None:
        """Refuse a slice whose values are not what the first slice, or the index, says those of the stack are."""
        if self.seen and plane.suv_type != self.counts.suv_type:
            raise FormatError("read/values", "slices with different SUV types (0054,1006)")
        self.counts.suv_type = plane.suv_type
        if not self._is_ct and self.array.dtype.kind != "f" and plane.offset != 0:
            raise FormatError("file/changed", "a slice is rescaled that was not when it was indexed")

    def _refuse_shape(self, shape: tuple[int, ...]) -> None:
        if shape != self.array.shape[1:]:
            raise FormatError("file/changed", "a slice has another size than when it was indexed")

    def _can_stay(self, dtype: np.dtype[Any], plane: Plane) -> bool:
        """Whether stored values are as large as those of the volume, and adding a whole number is all there is to do."""
        if self._is_inverted or plane.has_overlay:
            return False
        if self._is_ct:
            return dtype.itemsize == self.array.itemsize and plane.offset is not None
        return dtype == self.array.dtype

    def _flags_of(self, stored: NDArray[Any], plane: Plane) -> NDArray[np.bool_] | None:
        """Where a pixel is no padding; None where none is."""
        padding = plane.padding_of(stored.dtype)
        if padding is None:
            return None
        n_real = mark_padding(np.ascontiguousarray(stored), *padding, self._flags)
        self.counts.padding += stored.size - n_real
        return self._flags if n_real < stored.size else None

    def _without_overlay(self, stored: NDArray[Any], plane: Plane) -> NDArray[Any]:
        kept = keep_low_bits(stored, plane.bits_stored or stored.dtype.itemsize * 8)
        self.counts.overlay += int(np.count_nonzero(kept != stored))
        return kept

    def _stay(self, stored: NDArray[Any], plane: Plane, flags: NDArray[np.bool_] | None) -> Seen | None:
        """Make the stored values into values where they lie; None where some do not fit."""
        offset = (plane.offset or 0) if self._is_ct else 0
        seen = add_in_place(stored, offset, self.array.dtype, flags=flags, background=self._background)
        ends = plane.range_of(stored.dtype)
        if seen is not None and ends is not None:
            low, high = ends[0] + offset, ends[1] + offset
            if seen.minimum < low or seen.maximum > high:
                values = stored.view(self.array.dtype)
                self.counts.beyond_bits += count_beyond(values, low, high, flags)
        return seen

    def _convert(self, k: int, stored: NDArray[Any], plane: Plane, flags: NDArray[np.bool_] | None) -> Seen:
        """Modality LUT of one slice (C.11.1.1) into the volume; padding becomes background."""
        out, ends = self.array[k], plane.range_of(stored.dtype)
        if ends is not None:
            self.counts.beyond_bits += count_beyond(stored, *ends, flags)
        if self._is_inverted:
            stored = invert_monochrome1(
                stored,
                plane.bits_stored or stored.dtype.itemsize * 8,
                is_signed=stored.dtype.kind == "i",
                valid=flags,
            )
            self.counts.inverted += 1
        valid = None if flags is None else flags[None]
        slope, intercept = plane.slope, plane.intercept
        if self._is_ct:
            self.counts.saturated += to_hounsfield(
                stored[None], slope, intercept, valid=valid, background=AIR_HU, out=out[None]
            )[1]
            return look(out, flags)
        if out.dtype.kind == "f":
            to_float(stored[None], slope, intercept, valid=valid, out=out[None])
            seen = look(out, flags)
            if seen.n_not_finite:
                raise FormatError("read/values", "scaled values beyond 32-bit floats")
            return seen
        info = np.iinfo(out.dtype)
        if not np.can_cast(stored.dtype, out.dtype) and count_beyond(stored, info.min, info.max, flags):
            raise FormatError("file/changed", "a slice has stored values of another type than the others")
        out[...] = stored if flags is None else np.where(flags, stored, stored.dtype.type(0))
        return look(out, flags)
