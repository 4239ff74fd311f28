"""Embedding: a mask that covers a part of an image's grid, voxel upon voxel, without interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import ROUNDING_VOXELS, Reorder, is_singular, reorder_along
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Where a grid lies on a larger one of the same voxels.

    Args:
        grid: The larger grid.
        reorder: Brings arrays into the order of the larger grid's axes.
        start: Voxel (k, j, i) of the larger grid that the first voxel is then; it may be outside.
    """

    grid: Grid
    reorder: Reorder
    start: tuple[int, int, int]

    @property
    def is_inside(self) -> bool:
        """Whether all voxels are on the larger grid."""
        sizes = zip(self.start, self.reorder.grid.shape, self.grid.shape, strict=True)
        return all(first >= 0 and first + size <= whole for first, size, whole in sizes)

    def apply(self, mask: NDArray[Any]) -> NDArray[np.bool_]:
        """A mask on the larger grid (K, J, I).

        Raises:
            FormatError: voxels are marked that the larger grid does not have.
        """
        turned = self.reorder.view(mask)
        sizes = list(zip(self.start, turned.shape, self.grid.shape, strict=True))
        target = tuple(slice(max(s, 0), max(min(s + n, whole), 0)) for s, n, whole in sizes)
        source = tuple(
            slice(t.start - s, max(t.stop - s, t.start - s))
            for t, (s, _, _) in zip(target, sizes, strict=True)
        )
        inside = turned[source]
        out = np.zeros(self.grid.shape, np.bool_)
        out[target] = inside
        lost = int(np.count_nonzero(turned)) - int(np.count_nonzero(inside))
        if lost:
            raise FormatError(
                "read/other-grid",
                "a mask has marked voxels outside its image",
                measured=f"{lost} voxels",
                expected="0",
            )
        return out


def embedding(own: Grid, grid: Grid) -> Embedding | None:
    """Where a grid lies on another one; None where their voxels are not the same.

    They are compared at the corners, in the patient: an axis of one voxel needs to run nowhere.
    """
    frames = (own.frame_of_reference, grid.frame_of_reference)
    if own.is_oriented != grid.is_oriented or (all(frames) and frames[0] != frames[1]):
        return None
    if is_singular(own) or is_singular(grid):
        return None
    reorder = reorder_along(own, grid.affine[:3, :3])
    corners = grid.to_voxel(reorder.grid.corners_mm())
    k, j, i = (n - 1 for n in reorder.grid.shape)
    steps = np.array([(a, b, c) for c in (0, k) for b in (0, j) for a in (0, i)], dtype=np.float64)
    start = np.rint(corners[0])
    if not (np.abs(corners - start - steps) < ROUNDING_VOXELS).all() or np.abs(start).max() > 1e9:
        return None
    return Embedding(grid, reorder, (int(start[2]), int(start[1]), int(start[0])))
