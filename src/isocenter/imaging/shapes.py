"""Shapes that raters draw: contours, masks, boxes, points; each knows its voxels on a grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging import contours
from isocenter.imaging.affine import MatchKind, canonical, match
from isocenter.imaging.components import components_of
from isocenter.imaging.contour_report import ContourReport, report_of
from isocenter.imaging.contours import SNAP_DECIMALS
from isocenter.imaging.embedding import embedding
from isocenter.imaging.instances import boxes_of
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Closed planar contours of one structure (DICOM PS3.3 C.8.8.6).

    Args:
        polygons: Points (N, 3) in RAS+ millimetres, one array a contour; the last point need not repeat
            the first.
        is_xor: Whether they are CLOSEDPLANAR_XOR: overlaps in a plane are then meant. They are filled
            alike: contours inside contours are holes in both.
        by_area: Whether a voxel is inside if half of its area or more is, and not if its centre is.
    """

    polygons: tuple[NDArray[np.float64], ...]
    is_xor: bool = False
    by_area: bool = False

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) that lie inside an odd number of the contours of their plane."""
        out = np.zeros(grid.shape, dtype=np.bool_)
        reorder = canonical(grid)
        placement = contours.place(self.polygons, reorder.grid)
        contours.fill(placement, reorder.view(out), by_area=self.by_area)
        return out

    def occupancy(self, grid: Grid) -> NDArray[np.float32]:
        """Share (K, J, I) of each voxel's area in its plane that lies inside."""
        out = np.zeros(grid.shape, dtype=np.float32)
        reorder = canonical(grid)
        contours.cover(contours.place(self.polygons, reorder.grid), reorder.view(out))
        return out

    def report(self, grid: Grid) -> ContourReport:
        """What becomes of every contour on a grid."""
        target = canonical(grid).grid
        placement = contours.place(self.polygons, target)
        return report_of(placement, target, is_xor=self.is_xor)


@dataclass(frozen=True, slots=True, eq=False)
class MaskShape:
    """Voxels (K, J, I) marked on a grid of their own.

    Args:
        array: The voxels; what is not 0 is marked.
        grid: Where they are.
        is_part: Whether the format cuts masks to what is marked, so that the grid may be a part of the image's.
    """

    array: NDArray[Any]
    grid: Grid
    is_part: bool = False

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The mask on a grid with the same voxels, in whatever order; it may share memory with the array.

        Raises:
            FormatError: the voxels of the grid are others; nothing is resampled.
        """
        found = match(grid, self.grid)
        if found.kind is MatchKind.DIFFERENT or found.reorder is None:
            if self.is_part and (place := embedding(self.grid, grid)) is not None:
                return place.apply(self.array)
            raise FormatError(
                "read/other-grid",
                f"the mask lies on another grid than the image: {', '.join(found.differs)}",
                measured=f"{found.distance_mm:.4g} mm",
                expected="0 mm",
            )
        return found.reorder.apply(self.array).astype(np.bool_, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class FractionShape:
    """How much of each voxel (K, J, I) is marked, or how probably it is; a mask from a threshold on.

    Args:
        array: Whole numbers from 0 to the maximum.
        maximum: What a voxel has that is marked wholly.
        grid: Where the voxels are; it may be a part of the image's grid.
        threshold: Part of the maximum from which on a voxel is in the mask.
    """

    array: NDArray[Any]
    maximum: int
    grid: Grid
    threshold: float = 0.5

    @property
    def is_marked(self) -> bool:
        """Whether any voxel reaches the threshold."""
        return bool(int(self.array.max()) >= self.threshold * self.maximum)

    def cut(self, threshold: float) -> MaskShape:
        """The voxels that reach a threshold."""
        return MaskShape(self.array >= threshold * self.maximum, self.grid, is_part=True)

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The mask on a grid with the same voxels, as of `MaskShape`."""
        return self.cut(self.threshold).mask(grid)


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


@dataclass(frozen=True, slots=True, eq=False)
class TurnedBox:
    """A box in any orientation.

    Args:
        centre_mm: Its middle in RAS+ millimetres.
        axes: (3, 3): each row is the direction of an edge, of length 1.
        size_mm: Length of the edges.
    """

    centre_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    size_mm: NDArray[np.float64]

    @property
    def around(self) -> BoxShape:
        """The smallest box along the patient's axes that holds it."""
        reach = np.abs(self.axes.T) @ self.size_mm / 2
        low, high = (tuple(map(float, self.centre_mm + way * reach)) for way in (-1, 1))
        return BoxShape((low[0], low[1], low[2]), (high[0], high[1], high[2]))

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) whose centres lie in the box; faces that look against their axis belong to it."""
        out = np.zeros(grid.shape, dtype=np.bool_)
        around, half = self.around, self.size_mm / 2
        for window, centres in _planes_in(np.array([(*around.lo_mm, *around.hi_mm)]), grid):
            along = np.round((centres - self.centre_mm) @ self.axes.T, SNAP_DECIMALS)
            out[window] = ((along >= -half) & (along < half)).all(axis=1).reshape(out[window].shape)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class EllipsoidShape:
    """An ellipsoid in any orientation.

    Args:
        centre_mm: Its middle in RAS+ millimetres.
        halves_mm: (3, 3): each row leads from the middle to one end of an axis.
    """

    centre_mm: NDArray[np.float64]
    halves_mm: NDArray[np.float64]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) whose centres lie in the ellipsoid."""
        out = np.zeros(grid.shape, dtype=np.bool_)
        reach = np.linalg.norm(self.halves_mm, axis=0)
        box = np.array([(*(self.centre_mm - reach), *(self.centre_mm + reach))])
        form = np.linalg.inv(self.halves_mm)
        for window, centres in _planes_in(box, grid):
            level = np.square((centres - self.centre_mm) @ form).sum(axis=1)
            out[window] = (np.round(level, SNAP_DECIMALS) < 1).reshape(out[window].shape)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class PointShape:
    """Points, such as landmarks or the ends of a line.

    Args:
        points_mm: Points (N, 3) in RAS+ millimetres, in the order they were set.
        is_line: Whether they are joined: to a line, an angle or a curve.
    """

    points_mm: NDArray[np.float64]
    is_line: bool = False

    @property
    def length_mm(self) -> float:
        """Length from the first point over all others to the last."""
        return float(np.linalg.norm(np.diff(self.points_mm, axis=0), axis=1).sum())

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The voxels (K, J, I) that the points themselves lie in; points outside the image are in none."""
        out = np.zeros(grid.shape, dtype=np.bool_)
        voxels = np.floor(np.round(grid.to_voxel(self.points_mm), SNAP_DECIMALS) + 0.5)
        inside = ((voxels >= 0) & (voxels < grid.shape[::-1])).all(axis=1)
        i, j, k = voxels[inside].astype(int).T
        out[k, j, i] = True
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


def boxes_of_mask(
    mask: NDArray[np.bool_], grid: Grid, connectivity: int = 26
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The box around each connected component of a mask (K, J, I), in scan order.

    Returns:
        Boxes (N, 6) in millimetres, around the voxels' outer faces, and half-open voxel boxes (N, 6)
        as of `boxes_to_voxel`.
    """
    voxel = boxes_of(components_of(mask, connectivity))
    return boxes_to_world(voxel, grid), voxel


def boxes_to_world(boxes: NDArray[np.int32], grid: Grid) -> NDArray[np.float64]:
    """Half-open voxel boxes (N, 6) as boxes (N, 6) in millimetres, around the voxels' outer faces."""
    faces = boxes.astype(np.float64) - 0.5
    low, high = faces[:, 2::-1], faces[:, :2:-1]
    corners = np.stack([grid.to_world(c) for c in _corners(low, high)])
    return np.concatenate((corners.min(axis=0), corners.max(axis=0)), axis=1)


def _bounds(boxes_mm: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Lowest and highest voxel index (N, 2, 3) in the order i, j, k of the corners of boxes (N, 6)."""
    corners = np.stack([grid.to_voxel(c) for c in _corners(boxes_mm[:, :3], boxes_mm[:, 3:])])
    return np.stack((corners.min(axis=0), corners.max(axis=0)), axis=1)


def _planes_in(
    box_mm: NDArray[np.float64], grid: Grid
) -> Iterator[tuple[tuple[int, slice, slice], NDArray[np.float64]]]:
    """Plane by plane, the part of a grid that can touch a box (1, 6), and its voxel centres (N, 3) in millimetres."""
    low, high = _bounds(box_mm, grid)[0]
    start = np.clip(np.floor(low), 0, grid.shape[::-1]).astype(int)
    stop = np.clip(np.ceil(high) + 1, start, grid.shape[::-1]).astype(int)
    j, i = np.meshgrid(np.arange(start[1], stop[1]), np.arange(start[0], stop[0]), indexing="ij")
    for k in range(start[2], stop[2]):
        voxels = np.stack((i, j, np.full_like(i, k)), axis=-1).reshape(-1, 3)
        window = (k, slice(int(start[1]), int(stop[1])), slice(int(start[0]), int(stop[0])))
        yield window, grid.to_world(voxels.astype(np.float64))


def _corners(low: NDArray[np.float64], high: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    choices = itertools.product((False, True), repeat=3)
    return [np.where(np.array(choice), high, low) for choice in choices]
