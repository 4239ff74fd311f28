"""Regular: slices that lie unevenly or are sheared, brought onto a regular or a rectangular grid on request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.resample import BACKGROUNDS, SLIVER_VOXELS
from isocenter.model.grid import Grid
from isocenter.model.reasons import because
from isocenter.model.volume import Slice, Volume

# DICOM writes positions with at least two decimals of a millimetre; the rest is the noise of arithmetic.
SAME_MM = 0.01 + 1e-6
# Gaps that are whole multiples of the usual one, but for this share of it, are filled without moving a slice.
WHOLE_SHARE = 0.1
# A stack that would become longer than this is no stack with gaps, but pieces of several.
MOST_TIMES_LONGER = 2
# A tilt below both is the rounding of positions.
LEAST_SHEAR_MM, LEAST_TILT_DEGREES = 0.1, 0.1


def regularise(volume: Volume, usual_mm: float) -> Volume:
    """Bring slices that lie at uneven places onto evenly spaced ones; new slices are marked as synthetic.

    A slice that lies on one of the new places (within 0.01 mm) keeps its voxels bit for bit. Every other one
    is interpolated linearly between the two slices around it, along the direction in which they are stacked,
    so that a tilted stack stays tilted. Nothing is made beyond the last slice.

    Args:
        volume: With a slice table whose `position_mm` say where along their normal in the patient the slices
            are; its grid's planes and the line that they are stacked along hold, its first slice and its
            slice distance need not.
        usual_mm: The usual gap, which is what the slice distance becomes; where all gaps are whole multiples
            of it, what the first and the last slice say of it.

    Raises:
        FormatError: so much is missing that most of the volume would be made up.
    """
    own = np.array([s.position_mm for s in volume.slices], dtype=np.float64)
    step, count = _lattice(own, usual_mm)
    if count > MOST_TIMES_LONGER * len(own):
        raise FormatError(
            "read/too-many-gaps",
            f"{len(own)} of {count} slices are there; the others would be made up",
            measured=len(own),
            expected=f"at least {-(-count // MOST_TIMES_LONGER)}",
        )
    places = own[0] + step * np.arange(count)
    nearest = np.abs(places[:, None] - own).argmin(axis=1)
    is_kept = np.abs(own[nearest] - places) <= SAME_MM
    array = np.empty((count, *volume.array.shape[1:]), volume.array.dtype)
    valid = None if volume.valid is None else np.empty(array.shape, np.bool_)
    rows: list[Slice] = []
    for k, place in enumerate(places):
        if is_kept[k]:
            array[k] = volume.array[nearest[k]]
            if valid is not None and volume.valid is not None:
                valid[k] = volume.valid[nearest[k]]
            rows.append(volume.slices[nearest[k]])
            continue
        _fill(volume, own, float(place), array[k], None if valid is None else valid[k])
        rows.append(Slice(position_mm=float(place), is_synthetic=True))
    made = sum(r.is_synthetic for r in rows)
    issue = because(
        "read/resampled-gaps",
        target=volume.id,
        message=f"{made} of {count} slices are synthetic: interpolated onto {step:.4g} mm between slices",
        measured=made,
        expected=0,
        unit="synthetic slices",
    )
    return replace(
        volume,
        array=array,
        grid=_respaced(volume.grid, float(own[0]), step, count),
        valid=valid,
        slices=tuple(rows),
        facts=None,
        issues=(*volume.issues, issue),
        provenance={**volume.provenance, "slices": f"regular, {made} of {count} synthetic"},
    )


def _lattice(own: NDArray[np.float64], usual_mm: float) -> tuple[float, int]:
    """Slice distance and number of the new slices; the first is where the first slice is."""
    multiples = np.diff(own) / usual_mm
    whole = np.rint(multiples)
    length = float(own[-1] - own[0])
    if (whole >= 1).all() and (np.abs(multiples - whole) <= WHOLE_SHARE).all():
        steps = int(whole.sum())
        return length / steps, steps + 1
    return usual_mm, int((length + SAME_MM) // usual_mm) + 1


def _fill(
    volume: Volume,
    own: NDArray[np.float64],
    place: float,
    out: NDArray[np.generic],
    valid: NDArray[np.bool_] | None,
) -> None:
    """One new slice between two, in float64, rounded once; it is valid where both are."""
    after = int(np.clip(np.searchsorted(own, place), 1, len(own) - 1))
    before = after - 1
    weight = (place - own[before]) / (own[after] - own[before])
    low, high = volume.array[before], volume.array[after]
    # a difference could overflow what the voxels are stored in
    values = low * np.float64(1.0 - weight) + high * np.float64(weight)
    out[...] = np.rint(values) if out.dtype.kind in "iu" else values
    if valid is not None and volume.valid is not None:
        np.logical_and(volume.valid[before], volume.valid[after], out=valid)
        out[~valid] = BACKGROUNDS.get(volume.unit, 0.0)


def _respaced(grid: Grid, first_mm: float, step_mm: float, count: int) -> Grid:
    """Planes on the same line, from another place on and with another distance along their normal.

    The line goes through most slices, and the first need not be where it begins: behind a gap near the head
    of a stack, it begins as many slices further along as are missing.
    """
    affine = grid.affine.copy()
    across, height = _sheared(grid, 0)
    normal = (affine[:3, 2] - across) / height
    per_mm = affine[:3, 2] / height
    affine[:3, 3] += per_mm * (first_mm - float(normal @ affine[:3, 3]))
    affine[:3, 2] = per_mm * step_mm
    return replace(grid, shape=(count, *grid.shape[1:]), affine=affine)


def tilt_of(grid: Grid, axis: int = 0) -> float:
    """Degrees between the direction in which planes are stacked and their normal; 0 below what rounding makes.

    Args:
        grid: Where the voxels are.
        axis: The array axis along which the planes are stacked: k (0), j (1) or i (2).
    """
    across, height = _sheared(grid, axis)
    shear = float(np.linalg.norm(across)) * (grid.shape[axis] - 1)
    degrees = float(np.degrees(np.arctan2(np.linalg.norm(across), abs(height))))
    return degrees if shear > LEAST_SHEAR_MM and degrees > LEAST_TILT_DEGREES else 0.0


def rectangular(grid: Grid, axis: int = 0) -> Grid:
    """The grid of the same planes stacked along their normal, wide enough to hold every one of them.

    Args:
        grid: A grid whose planes are displaced within themselves, as a tilted gantry makes them.
        axis: The array axis along which the planes are stacked: k (0), j (1) or i (2).
    """
    across, _ = _sheared(grid, axis)
    column = 2 - axis
    affine, shape = grid.affine.copy(), list(grid.shape)
    plane = [c for c in range(3) if c != column]
    steps = np.linalg.lstsq(grid.affine[:3, plane], across, rcond=None)[0]  # in voxels of the plane
    affine[:3, column] -= across
    for c, per_plane in zip(plane, steps, strict=True):
        total = float(per_plane) * (shape[axis] - 1)
        first = int(np.floor(min(0.0, total) + SLIVER_VOXELS))
        last = int(np.ceil(max(0.0, total) - SLIVER_VOXELS))
        affine[:3, 3] += first * grid.affine[:3, c]
        shape[2 - c] += last - first
    return replace(grid, shape=(shape[0], shape[1], shape[2]), affine=affine)


def _sheared(grid: Grid, axis: int) -> tuple[NDArray[np.float64], float]:
    """How far a plane is displaced against the one before it: within the plane (a vector), and along its normal."""
    column = 2 - axis
    one, other = (grid.affine[:3, c] for c in range(3) if c != column)
    normal = np.cross(one, other)
    normal /= np.linalg.norm(normal)
    step = grid.affine[:3, column]
    height = float(normal @ step)
    return step - height * normal, height
