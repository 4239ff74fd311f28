"""Shapes that raters draw: contours, masks, boxes; each knows its voxels on a grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.base.errors import FormatError
from isocenter.imaging import contours
from isocenter.imaging.affine import MatchKind, canonical, match
from isocenter.imaging.contours import SNAP_DECIMALS, ContourReport
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Closed planar contours of one structure (DICOM PS3.3 C.8.8.6).

    Args:
        polygons: Points (N, 3) in RAS+ millimetres, one array a contour; the last point need not repeat
            the first.
        is_xor: Whether they are CLOSEDPLANAR_XOR: overlaps in a plane are then meant. They are filled
            alike: contours inside contours are holes in both.
    """

    polygons: tuple[NDArray[np.float64], ...]
    is_xor: bool = False

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) whose centres lie inside an odd number of the contours of their plane."""
        reorder = canonical(grid)
        placed, _ = contours.place(self.polygons, reorder.grid)
        return reorder.invert(contours.fill(placed, reorder.grid))

    def report(self, grid: Grid) -> ContourReport:
        """What becomes of every contour on a grid."""
        target = canonical(grid).grid
        placed, counts = contours.place(self.polygons, target)
        return contours.report(placed, counts, target, is_xor=self.is_xor)


@dataclass(frozen=True, slots=True, eq=False)
class MaskShape:
    """Voxels (K, J, I) marked on a grid of their own."""

    array: NDArray[Any]
    grid: Grid

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The mask on a grid with the same voxels, in whatever order; it may share memory with the array.

        Raises:
            FormatError: the voxels of the grid are others; nothing is resampled.
        """
        found = match(grid, self.grid)
        if found.kind is MatchKind.DIFFERENT or found.reorder is None:
            raise FormatError(
                "read/other-grid",
                f"the mask lies on another grid than the image: {', '.join(found.differs)}",
                measured=f"{found.distance_mm:.4g} mm",
                expected="0 mm",
            )
        return found.reorder.apply(self.array).astype(np.bool_, copy=False)


@dataclass(frozen=True, slots=True)
class BoxShape:
    """A box along the patient's axes: its lower and its upper corner in RAS+ millimetres."""

    lo_mm: tuple[float, float, float]
    hi_mm: tuple[float, float, float]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) whose centres lie in the box: its lower faces belong to it, its upper do not."""
        out = np.zeros(grid.shape, dtype=np.bool_)
        box = np.array([(*self.lo_mm, *self.hi_mm)], dtype=np.float64)
        low, high = np.round(_bounds(box, grid)[0], SNAP_DECIMALS)
        start = np.clip(np.floor(low), 0, grid.shape[::-1]).astype(int)
        stop = np.clip(np.ceil(high) + 1, start, grid.shape[::-1]).astype(int)
        k, j, i = np.meshgrid(*(np.arange(start[a], stop[a]) for a in (2, 1, 0)), indexing="ij")
        centres = grid.to_world(np.stack((i, j, k), axis=-1).reshape(-1, 3).astype(np.float64))
        is_in = (np.round(centres - self.lo_mm, SNAP_DECIMALS) >= 0) & (
            np.round(centres - self.hi_mm, SNAP_DECIMALS) < 0
        )
        out[start[2] : stop[2], start[1] : stop[1], start[0] : stop[0]] = is_in.all(axis=1).reshape(k.shape)
        return out


def boxes_to_voxel(boxes_mm: NDArray[np.float64], grid: Grid) -> NDArray[np.int32]:
    """Boxes (N, 6) in millimetres (lo x, y, z, hi x, y, z) as half-open voxel boxes (N, 6).

    A voxel box is (lo k, j, i, hi k, j, i); `array[lo_k:hi_k, lo_j:hi_j, lo_i:hi_i]` is inside. Faces
    move to the nearest border between voxels, which lies half a voxel before a voxel's centre: a voxel is
    inside if its centre is. A box thinner than a voxel keeps the one voxel its middle is in, so that no
    finding is lost. On an oblique grid it is the smallest voxel box around the eight corners. Boxes are
    cut at the image; a box wholly outside becomes empty (lo == hi).
    """
    boxes = np.asarray(boxes_mm, dtype=np.float64).reshape(-1, 6)
    bounds = np.round(_bounds(boxes, grid), SNAP_DECIMALS)[:, :, ::-1]
    low, high = np.ceil(bounds[:, 0]), np.ceil(bounds[:, 1])
    middle = np.floor(bounds.mean(axis=1) + 0.5)
    is_thin = high <= low
    low, high = np.where(is_thin, middle, low), np.where(is_thin, middle + 1, high)
    shape = np.array(grid.shape, dtype=np.float64)
    low, high = np.clip(low, 0, shape), np.clip(high, 0, shape)
    is_gone = (high <= low).any(axis=1, keepdims=True)
    return np.concatenate((low, np.where(is_gone, low, high)), axis=1).astype(np.int32)


def boxes_of_mask(mask: NDArray[np.bool_], grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The box around each connected component (26 neighbours) of a mask (K, J, I), in scan order.

    Returns:
        Boxes (N, 6) in millimetres, around the voxels' outer faces, and half-open voxel boxes (N, 6)
        as of `boxes_to_voxel`.
    """
    outer = ndimage.find_objects(mask.view(np.uint8))
    if not outer or outer[0] is None:
        return np.empty((0, 6), dtype=np.float64), np.empty((0, 6), dtype=np.int32)
    found, _ = ndimage.label(mask[outer[0]], structure=np.ones((3, 3, 3), dtype=np.uint8))
    start = np.array([s.start for s in outer[0]], dtype=np.int32)
    rows = [
        (*(start + [s.start for s in part]), *(start + [s.stop for s in part]))
        for part in ndimage.find_objects(found)
    ]
    voxel = np.array(rows, dtype=np.int32)
    return _boxes_to_world(voxel, grid), voxel


def _boxes_to_world(boxes: NDArray[np.int32], grid: Grid) -> NDArray[np.float64]:
    faces = boxes.astype(np.float64) - 0.5
    low, high = faces[:, 2::-1], faces[:, :2:-1]
    corners = np.stack([grid.to_world(c) for c in _corners(low, high)])
    return np.concatenate((corners.min(axis=0), corners.max(axis=0)), axis=1)


def _bounds(boxes_mm: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Lowest and highest voxel index (N, 2, 3) in the order i, j, k of the corners of boxes (N, 6)."""
    corners = np.stack([grid.to_voxel(c) for c in _corners(boxes_mm[:, :3], boxes_mm[:, 3:])])
    return np.stack((corners.min(axis=0), corners.max(axis=0)), axis=1)


def _corners(low: NDArray[np.float64], high: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    choices = itertools.product((False, True), repeat=3)
    return [np.where(np.array(choice), high, low) for choice in choices]
