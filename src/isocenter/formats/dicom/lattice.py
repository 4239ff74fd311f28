"""Lattice: the one regular grid on which the planes of several frames lie, each by its own position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import ROUNDING_VOXELS, grid_from_slices
from isocenter.model.grid import Grid
from isocenter.model.rows import FrameRow

# Two positions nearer than this are of one plane.
_SAME_MM = 1e-3
_UNIT, _SQUARE = 1e-3, 1e-3
_NEEDED = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
# No voxel is a thousand kilometres from the patient.
_MAX_MM = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A regular grid, and which of its slices each frame is.

    Args:
        grid: It spans all planes; slices of which there is no frame are in it too.
        places: Slice of each frame.
    """

    grid: Grid
    places: tuple[int, ...]


def lattice_of(rows: Sequence[FrameRow], n_rows: int, n_columns: int) -> Lattice:
    """The grid of frames that are parallel and a multiple of one step apart, in whatever order they come.

    Args:
        rows: The frames; there is one at least.
        n_rows: Rows of a frame.
        n_columns: Columns of a frame.

    Raises:
        FormatError: the place of a frame is not told, or the planes lie on no one regular grid.
    """
    _refuse_unplaced(rows)
    axes = _one([r.orientation for r in rows], _UNIT, "the frames lie in planes that are not parallel")
    spacing = _one([r.pixel_spacing_mm for r in rows], _SAME_MM, "the frames have pixels of several sizes")
    along_row, along_column = axes[:3], axes[3:]
    positions = np.array([r.position_mm for r in rows], dtype=np.float64)
    is_square = abs(float(along_row @ along_column)) < _SQUARE and all(
        abs(float(np.linalg.norm(a)) - 1) < _UNIT for a in (along_row, along_column)
    )
    if not is_square or spacing.min() <= 0 or np.abs(positions).max() > _MAX_MM:
        raise FormatError("file/corrupt", "the place of a frame makes no sense")
    normal = np.cross(along_row, along_column)
    depths = positions @ normal
    first, last = int(depths.argmin()), int(depths.argmax())
    step_mm, places = _places(depths, _candidates(rows, depths))
    count = int(places.max()) + 1
    step = (positions[last] - positions[first]) / (count - 1) if count > 1 else normal * step_mm
    sizes = np.array([spacing[1], spacing[0], step_mm])
    off = positions - positions[first] - places[:, None] * step
    voxels = np.abs(off @ np.stack((along_row, along_column, normal), axis=1)) / sizes
    if voxels.max() >= ROUNDING_VOXELS:
        raise _off_lattice(f"{voxels.max():.3g} voxels off")
    grid = grid_from_slices(
        positions[first],
        along_row,
        along_column,
        (float(spacing[0]), float(spacing[1])),
        step,
        (count, n_rows, n_columns),
    )
    return Lattice(grid, tuple(places.tolist()))


def _refuse_unplaced(rows: Sequence[FrameRow]) -> None:
    for row in rows:
        if set(row.unparsable) & set(_NEEDED):
            raise FormatError("file/corrupt", "the place of a frame cannot be understood")
        if not (row.position_mm and row.orientation and row.pixel_spacing_mm):
            raise FormatError("file/unsupported", "frames whose place in the patient is not told")


def _one(values: Sequence[tuple[float, ...]], tolerance: float, message: str) -> NDArray[np.float64]:
    """The value that all frames share; each is looked at."""
    found = np.array(list(dict.fromkeys(values)), dtype=np.float64)
    if np.ptp(found, axis=0).max() > tolerance:
        raise FormatError("read/planes-off-lattice", message)
    return np.asarray(found[0])


def _candidates(rows: Sequence[FrameRow], depths: NDArray[np.float64]) -> list[float]:
    """Distances that neighbouring planes may have: the stated one, the least that is found, the thickness."""
    gaps = np.diff(np.unique(depths))
    gaps = gaps[gaps > _SAME_MM]
    stated = sorted({r.spacing_between_slices_mm for r in rows if r.spacing_between_slices_mm})
    thick = sorted({r.slice_thickness_mm for r in rows if r.slice_thickness_mm})
    found = [*stated, *([float(gaps.min())] if gaps.size else []), *thick]
    # some writers give the spacing a sign (PS3.3 C.7.6.16.2.1 does not let them)
    return [abs(s) for s in found if abs(s) > _SAME_MM] or [1.0]


def _places(depths: NDArray[np.float64], candidates: Sequence[float]) -> tuple[float, NDArray[np.int64]]:
    """The first distance of which all gaps are multiples, and the slice of each frame."""
    order = np.argsort(depths, kind="stable")
    gaps = np.diff(depths[order])
    for candidate in candidates:
        counts = np.rint(gaps / candidate)
        if not (
            counts.sum() < 2**31 and (np.abs(gaps - counts * candidate) < ROUNDING_VOXELS * candidate).all()
        ):
            continue
        places = np.zeros(len(depths), np.int64)
        places[order[1:]] = np.cumsum(counts).astype(np.int64)
        total = int(counts.sum())
        step = float(gaps.sum()) / total if total else candidate
        if math.isfinite(step) and step > _SAME_MM:
            return step, places
    raise _off_lattice(f"gaps of {', '.join(f'{g:.4g}' for g in sorted(set(gaps.round(3).tolist()))[:4])} mm")


def _off_lattice(measured: str) -> FormatError:
    return FormatError(
        "read/planes-off-lattice",
        "the planes of the segmentation lie on no one regular grid",
        measured=measured,
        expected="multiples of one distance",
    )
