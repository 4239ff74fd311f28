"""From the files of one stack to a volume in physical units (PS3.3 C.7.6.3, C.11.1)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.bytes import MAX_BYTES, refuse_size
from isocenter.formats.dicom.assembly import Assembly, Counts
from isocenter.formats.dicom.enhanced import put_frames
from isocenter.formats.dicom.file import read_dataset
from isocenter.formats.dicom.native import BATCH, CompressedSlice, NativeSlice, open_slices
from isocenter.formats.dicom.pixels import PendingFrame, stored_pixels
from isocenter.formats.dicom.planes import Plane, plane_of
from isocenter.imaging.facts import facts_of_planes
from isocenter.imaging.suv import stored_unit
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import Slice, Volume, axis_of

# While one frame is decoded in another process, the next is read.
_AHEAD = 1


def read_volume(stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None] = ()) -> Volume:
    """Read every slice of a stack once, straight into the volume.

    Args:
        stack: The stack.
        paths: File of each slice.
        expected: What each was when it was indexed, None where nobody knows; () means that nobody knows of any.

    Raises:
        FormatError: a file is broken, or is not the one that was indexed.
    """
    if len(paths) != stack.shape[0]:
        raise FormatError("file/changed", "another number of slices than when the stack was indexed")
    expected = expected or [None] * len(paths)
    dtype = dtype_of(stack)
    refuse_size(math.prod(stack.shape) * dtype.itemsize, MAX_BYTES)
    assembly = Assembly(stack, dtype)
    if stack.multi_frame:
        put_frames(assembly, stack, paths, expected)
    else:
        _put_slices(assembly, paths, expected)
    return Volume(
        id=stack.id,
        array=assembly.array,
        grid=stack.grid,
        unit=unit_of(stack, assembly.counts.suv_type),
        modality=stack.modality,
        valid=assembly.valid,
        slices=slices_of(stack),
        attributes=stack.attributes,
        issues=tuple(_issues(stack, assembly.counts, assembly.array.size)),
        provenance={"reader": "dicom"},
        facts=facts_of_planes(assembly.seen),
        axis=axis_of(stack),
        image_type=stack.image_type,
    )


def _put_slices(assembly: Assembly, paths: Sequence[Path], expected: Sequence[Signature | None]) -> None:
    for first in range(0, len(paths), BATCH):
        some, known = paths[first : first + BATCH], expected[first : first + BATCH]
        with open_slices(some, known) as opened:
            pending: deque[tuple[int, PendingFrame, Plane]] = deque()
            for k, (path, one) in enumerate(zip(some, opened, strict=True), first):
                if isinstance(one, CompressedSlice):
                    shape = (one.layout.rows, one.layout.columns)
                    place = assembly.own_place(k, shape, one.layout.dtype, one.plane)
                    pending.append((k, one.begin(k, place), one.plane))
                _finish(assembly, pending, at_most=_AHEAD if isinstance(one, CompressedSlice) else 0)
                if not isinstance(one, CompressedSlice):
                    _read_slice(assembly, k, path, one, expected[k])
            _finish(assembly, pending, at_most=0)


def _finish(assembly: Assembly, pending: deque[tuple[int, PendingFrame, Plane]], *, at_most: int) -> None:
    """Put the frames that are being decoded into the volume, in order, until only so many are left."""
    while len(pending) > at_most:
        k, frame, plane = pending.popleft()
        assembly.put(k, frame.result(), plane)


def _read_slice(
    assembly: Assembly, k: int, path: Path, native: NativeSlice | None, expected: Signature | None
) -> None:
    if native is None:
        dataset = read_dataset(path, expected=expected)
        assembly.put(k, stored_pixels(dataset, number=k), plane_of(dataset))
        return
    place = assembly.place(k, native.shape, native.dtype, native.plane)
    native.read_into(place)
    assembly.put(k, place, native.plane)


def slices_of(stack: Stack) -> tuple[Slice, ...]:
    """The slice table of a stack: which object, file and frame each plane came from."""
    rows = zip(_positions(stack), stack.instances, stack.files, stack.frames, strict=True)
    return tuple(Slice(position_mm=z, instance=i, file=f, frame=n) for z, i, f, n in rows)


def unit_of(stack: Stack, suv_type: str = "") -> str:
    """Unit of the values that reading the stack gives; `suv_type` is what they are normalised by."""
    if stack.modality == "CT":
        return "HU"
    if stack.modality == "PT":
        return stored_unit(stack.pet_units, suv_type)
    return "arbitrary" if _is_scaled(stack) else "stored"


def _is_scaled(stack: Stack) -> bool:
    return {*stack.rescale_slopes, 1.0} != {1.0} or {*stack.rescale_intercepts, 0.0} != {0.0}


def dtype_of(stack: Stack) -> np.dtype[Any]:
    """int16 for HU; stored integers where they say it all; else float32."""
    if stack.modality == "CT":
        return np.dtype(np.int16)
    if stack.modality == "PT" or _is_scaled(stack) or stack.dtype not in {"int16", "uint16", "uint8"}:
        return np.dtype(np.float32)
    if len(stack.all_signs) > 1:
        return np.dtype(np.float32)  # slices of both signs: all of 16 bits are exact in 32-bit floats
    return np.dtype(stack.dtype)


def _positions(stack: Stack) -> tuple[float, ...]:
    return stack.positions_mm or tuple(float(k) for k in range(stack.shape[0]))


def _issues(stack: Stack, counts: Counts, size: int) -> list[Issue]:
    out = []
    if counts.padding:
        share = f"{100 * counts.padding / size:.2f}"
        out.append(because("read/padding-masked", target=stack.id, measured=share, unit="% of voxels"))
    voxels = {
        "read/bits": counts.beyond_bits,
        "read/saturated": counts.saturated,
        "read/overlay-bits": counts.overlay,
    }
    for reason, count in voxels.items():
        if count:
            out.append(because(reason, target=stack.id, measured=count, expected=0, unit="voxels"))
    if counts.inverted:
        out.append(because("read/inverted", target=stack.id))
    elif stack.photometric == "MONOCHROME1":
        out.append(because("read/monochrome1-kept", target=stack.id))
    return out
