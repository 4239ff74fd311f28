"""Affine: axis order, flips, and whether two grids are the same in the patient.

Arrays are (..., K, J, I); an affine takes (i, j, k, 1) to millimetres in RAS+.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.model.grid import Grid

EXACT_VOXELS = 1e-4
ROUNDING_VOXELS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Reorder:
    """A lossless change of axis order and direction, and its way back.

    Args:
        source: The grid before.
        grid: The grid after.
        order: For each array axis (k, j, i) after, the array axis before.
        flips: For each array axis (k, j, i) after, whether it runs the other way.
    """

    source: Grid
    grid: Grid
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def is_identity(self) -> bool:
        """Whether nothing moves."""
        return self.order == (0, 1, 2) and not any(self.flips)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array (..., K, J, I) in the new order, C-contiguous; the array itself where nothing moves."""
        if self.is_identity:
            self._check(array, self.source)
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(self.view(array))

    def view(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array (..., K, J, I) in the new order without a copy, whatever its strides become."""
        self._check(array, self.source)
        lead = array.ndim - 3
        moved = array.transpose(*range(lead), *(lead + axis for axis in self.order))
        return moved[(..., *_runs(self.flips))]

    def invert(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array (..., K, J, I) in the new order, brought back to the old one."""
        self._check(array, self.grid)
        lead = array.ndim - 3
        back = array[(..., *_runs(self.flips))]
        places = (self.order.index(axis) for axis in range(3))
        return np.ascontiguousarray(back.transpose(*range(lead), *(lead + place for place in places)))

    @staticmethod
    def _check(array: NDArray[Any], grid: Grid) -> None:
        if array.shape[-3:] != grid.shape:
            raise ValueError(f"the array is {array.shape[-3:]}, its grid {grid.shape}")


class MatchKind(enum.StrEnum):
    """How near two grids are."""

    EXACT = "exact"
    ROUNDING = "rounding"
    REORDERED = "reordered"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Match:
    """Two grids compared at their corners, in the patient.

    Args:
        kind: Exact, rounding, reordered or different.
        distance_voxels: Largest distance of two corners along an axis, in voxels of the first grid.
        distance_mm: Largest distance of two corners.
        reorder: Takes arrays of the other grid onto the first; None where the grids are different.
        differs: What differs: shape, spacing, direction, origin, half-voxel shift, whole-voxel shift,
            orientation (only one of the two says where the patient is), frame of reference, affine
            (it has no inverse).
    """

    kind: MatchKind
    distance_voxels: float
    distance_mm: float
    reorder: Reorder | None = None
    differs: tuple[str, ...] = ()


def grid_from_slices(
    first_mm: Sequence[float] | NDArray[np.float64],
    row_direction: Sequence[float] | NDArray[np.float64],
    column_direction: Sequence[float] | NDArray[np.float64],
    pixel_spacing_mm: Sequence[float],
    step_mm: Sequence[float] | NDArray[np.float64],
    shape: tuple[int, int, int],
    frame_of_reference: str = "",
) -> Grid:
    """The grid of parallel planes a constant step apart (DICOM PS3.3 C.7.6.2.1.1, here in RAS+).

    Args:
        first_mm: Centre of the first voxel of the first plane.
        row_direction: Unit vector in which a row runs: the direction of growing i.
        column_direction: Unit vector in which a column runs: the direction of growing j.
        pixel_spacing_mm: Distance between rows (along j), then between columns (along i), as DICOM
            PS3.3 10.7.1.3 has it.
        step_mm: Vector from one plane to the next; it need not be along the normal (gantry tilt).
        shape: (K, J, I).
        frame_of_reference: Pseudonym of the frame.
    """
    affine = np.eye(4, dtype=np.float64)
    between_rows, between_columns = pixel_spacing_mm
    affine[:3, 0] = np.asarray(row_direction, dtype=np.float64) * between_columns
    affine[:3, 1] = np.asarray(column_direction, dtype=np.float64) * between_rows
    affine[:3, 2] = step_mm
    affine[:3, 3] = first_mm
    return Grid(shape, affine, frame_of_reference)


def canonical(grid: Grid) -> Reorder:
    """How to bring arrays on a grid to RAS: i towards right, j towards anterior, k towards superior.

    A grid that says nothing about the patient stays as it is. Of an oblique grid each axis goes to the
    direction it is nearest to, so that the three together are nearest; no value is interpolated.
    """
    if not grid.is_oriented:
        return _reorder(grid, (0, 1, 2), (False, False, False))
    return reorder_along(grid, np.eye(3))


def match(grid: Grid, other: Grid) -> Match:
    """Compare two grids by their corners, whatever their headers call things.

    Grids of two known, unlike frames of reference are different wherever they lie: their millimetres
    have nothing to do with each other (DICOM PS3.3 C.7.4.1).
    """
    names = [n for n, (a, b) in _patients(grid, other).items() if a != b]
    if is_singular(grid) or is_singular(other):
        return Match(
            kind=MatchKind.DIFFERENT,
            distance_voxels=float("inf"),
            distance_mm=float("inf"),
            differs=("affine",),
        )
    straight = _reorder(other, (0, 1, 2), (False, False, False))
    turned = reorder_along(other, grid.affine[:3, :3])
    candidates = [(straight, MatchKind.EXACT), (turned, MatchKind.REORDERED)]
    for reorder, kind in candidates:
        voxels, mm = _distance(grid, reorder.grid)
        if reorder.grid.shape != grid.shape or voxels >= ROUNDING_VOXELS or names:
            continue
        if kind is MatchKind.EXACT and voxels >= EXACT_VOXELS:
            kind = MatchKind.ROUNDING  # noqa: PLW2901 - a straight match has two degrees
        return Match(kind=kind, distance_voxels=voxels, distance_mm=mm, reorder=reorder)
    voxels, mm = _distance(grid, turned.grid)
    return Match(
        kind=MatchKind.DIFFERENT,
        distance_voxels=voxels,
        distance_mm=mm,
        differs=(*names, *_differences(grid, turned.grid)),
    )


def reorder_along(grid: Grid, directions: NDArray[np.float64], *, is_flipping: bool = True) -> Reorder:
    """The reorder that lets the axes i, j, k of a grid run as nearly as they can along three columns.

    Without flipping an axis may run against its column.
    """
    sizes = np.linalg.norm(grid.affine[:3, :3], axis=0)
    units = grid.affine[:3, :3] / np.where(sizes > 0, sizes, 1.0)
    cosines = (directions / np.linalg.norm(directions, axis=0)).T @ units
    orders = itertools.permutations(range(3))  # sorted, so that a tie is decided the same way everywhere
    columns = max(orders, key=lambda o: round(float(sum(abs(cosines[row, o[row]]) for row in range(3))), 9))
    order = (2 - columns[2], 2 - columns[1], 2 - columns[0])  # column i of the affine is array axis 2
    flips = tuple(is_flipping and bool(cosines[row, columns[row]] < 0) for row in (2, 1, 0))
    return _reorder(grid, order, (flips[0], flips[1], flips[2]))


def _patients(grid: Grid, other: Grid) -> dict[str, tuple[object, object]]:
    """What must agree before millimetres may be compared at all."""
    frames = (grid.frame_of_reference, other.frame_of_reference)
    return {
        "orientation": (grid.is_oriented, other.is_oriented),
        "frame of reference": frames if all(frames) else ("", ""),
    }


def is_singular(grid: Grid) -> bool:
    """Whether the affine of a grid has no inverse, or voxels no volume."""
    if not np.isfinite(grid.affine).all():
        return True
    sizes = np.linalg.norm(grid.affine[:3, :3], axis=0)
    if not sizes.all():
        return True
    return abs(float(np.linalg.det(grid.affine[:3, :3] / sizes))) < 1e-6


def _distance(grid: Grid, other: Grid) -> tuple[float, float]:
    """Largest corner distance in voxels of the first grid, and in millimetres."""
    difference = other.corners_mm() - grid.corners_mm()
    voxels = difference @ np.linalg.inv(grid.affine[:3, :3]).T
    return float(np.abs(voxels).max()), float(np.linalg.norm(difference, axis=1).max())


def _differences(grid: Grid, other: Grid) -> list[str]:
    """What differs between two grids whose axes run alike."""
    reach = max(1, *grid.shape)
    ours, theirs = (np.linalg.norm(g.affine[:3, :3], axis=0) for g in (grid, other))
    turn = grid.affine[:3, :3] / ours - other.affine[:3, :3] / theirs
    shift = np.linalg.inv(grid.affine[:3, :3]) @ (other.affine[:3, 3] - grid.affine[:3, 3])
    found = {
        "shape": grid.shape != other.shape,
        "spacing": bool((np.abs(theirs / ours - 1) * reach >= ROUNDING_VOXELS).any()),
        "direction": bool((np.abs(turn) * reach >= ROUNDING_VOXELS).any()),
    }
    names = [name for name, is_so in found.items() if is_so]
    if np.abs(shift).max() < ROUNDING_VOXELS:
        return names
    if "spacing" not in names and "direction" not in names:
        off_half = np.minimum(np.abs(shift), np.abs(np.abs(shift) - 0.5))
        if off_half.max() < ROUNDING_VOXELS:
            return [*names, "half-voxel shift"]
        if np.abs(shift - np.rint(shift)).max() < ROUNDING_VOXELS:
            return [*names, "whole-voxel shift"]
    return [*names, "origin"]


def _reorder(grid: Grid, order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Reorder:
    move = np.eye(4, dtype=np.float64)[:, [2 - order[2], 2 - order[1], 2 - order[0], 3]]
    shape = (grid.shape[order[0]], grid.shape[order[1]], grid.shape[order[2]])
    turn = np.eye(4, dtype=np.float64)
    for axis, is_flipped in enumerate(reversed(flips)):
        if is_flipped:
            turn[axis, axis] = -1.0
            turn[axis, 3] = shape[2 - axis] - 1
    affine = grid.affine @ move @ turn
    return Reorder(grid, Grid(shape, affine, grid.frame_of_reference, grid.is_oriented), order, flips)


def _runs(flips: tuple[bool, bool, bool]) -> tuple[slice, slice, slice]:
    first, second, third = (slice(None, None, -1 if is_flipped else 1) for is_flipped in flips)
    return first, second, third
