"""Placement: where the voxels of a target grid lie among those of a source grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import Reorder, reorder_along
from isocenter.imaging.taps import SNAP_DECIMALS
from isocenter.model.grid import Grid

# Axes are parallel if no voxel of the target strays farther than this from its row of the source.
PARALLEL_VOXELS = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The way from target to source voxels, once the source has the target's order of axes.

    Args:
        turn: What brings arrays of the source to the target's order of axes.
        matrix: Takes (i, j, k, 1) of the target to (i, j, k, 1) of the turned source.
        shape: (K, J, I) of the target.
    """

    turn: Reorder
    matrix: NDArray[np.float64]
    shape: tuple[int, int, int]

    @property
    def is_parallel(self) -> bool:
        """Whether every axis of the target runs along one of the source."""
        steps = np.abs(self.matrix[:3, :3]) * (np.array(self.shape[::-1]) - 1)
        np.fill_diagonal(steps, 0.0)
        return bool(steps.sum(axis=1).max() < PARALLEL_VOXELS)

    @property
    def is_sheared(self) -> bool:
        """Whether the target's rows, columns and slices run along the source's, but slices slide (gantry tilt)."""
        steps = np.abs(self.matrix[:3, :3]) * (np.array(self.shape[::-1]) - 1)
        np.fill_diagonal(steps, 0.0)
        steps[:2, 2] = 0.0
        return bool(steps.sum(axis=1).max() < PARALLEL_VOXELS)

    def factors(self) -> tuple[float, float, float]:
        """How many source voxels a target voxel spans along (k, j, i) of the turned source.

        Slices that slide are as thick as ever: how far one lies from the next makes no voxel of it larger.
        """
        matrix = self.matrix[:3, :3]
        spans = np.abs(np.diag(matrix)) if self.is_sheared else np.linalg.norm(matrix, axis=1)
        i, j, k = (float(f) for f in spans)
        return k, j, i

    def positions(self, axis: int, k: int | None = None) -> NDArray[np.float64]:
        """Where the target's voxels lie along array axis k (0), j (1) or i (2), if axes are parallel.

        What little the axes stray is taken at the middle of the target. If slices slide it is also asked for
        one of them, `k`.
        """
        row = 2 - axis
        middle = (np.array(self.shape[::-1], dtype=np.float64) - 1) / 2
        if k is not None:
            middle[2] = k
        middle[row] = 0.0
        offset = float(self.matrix[row, :3] @ middle) + float(self.matrix[row, 3])
        steps = np.arange(self.shape[axis], dtype=np.float64) * self.matrix[row, row] + offset
        return np.asarray(np.round(steps, SNAP_DECIMALS), dtype=np.float64)


def place(source: Grid, target: Grid) -> Placement:
    """Find the way from the voxels of a target grid to those of a source grid.

    Only the order of axes is turned: an axis that runs the other way costs no copy of the voxels.
    """
    turn = reorder_along(source, target.affine[:3, :3], is_flipping=False)
    return Placement(turn, np.linalg.inv(turn.grid.affine) @ target.affine, target.shape)
