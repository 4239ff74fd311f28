"""Hypotheses: what may have gone wrong with a mask's affine, each with the affine as it would have been.

The affines are those that a careless step of conversion leaves behind: axes negated between RAS+ (NIfTI) and LPS
(DICOM, ITK), lengths in another unit, a position or an orientation that was never written. None is ever taken for
granted; `isocenter.imaging.alignment` asks whether one of them explains a mismatch to the voxel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isocenter.model.grid import Grid

# Metres, centimetres and micrometres that are taken for millimetres, and the other way round.
_UNITS = (10.0, 0.1, 1000.0, 0.001)
_BOTH, _DIRECTIONS, _ORIGIN = "axes and origin", "axes", "origin"


def negated(grid: Grid) -> Iterator[tuple[str, Grid]]:
    """The grid with x and y turned round: RAS+ taken for LPS, wholly or by half."""
    turn = np.diag([-1.0, -1.0, 1.0])
    for what in (_BOTH, _DIRECTIONS, _ORIGIN):
        affine = grid.affine.copy()
        if what != _ORIGIN:
            affine[:3, :3] = turn @ affine[:3, :3]
        if what != _DIRECTIONS:
            affine[:3, 3] = turn @ affine[:3, 3]
        yield f"{what} negated in x and y", _with(grid, affine)


def scaled(grid: Grid) -> Iterator[tuple[str, Grid]]:
    """The grid in other units of length: all of it, voxel sizes alone or the origin alone."""
    for factor in _UNITS:
        for what in (_BOTH, "voxel sizes", _ORIGIN):
            affine = grid.affine.copy()
            if what != _ORIGIN:
                affine[:3, :3] *= factor
            if what != "voxel sizes":
                affine[:3, 3] *= factor
            name = "all lengths" if what == _BOTH else what
            yield f"{name} off by {1 / factor:g}", _with(grid, affine)


def positioned(grid: Grid, image: Grid) -> Iterator[tuple[str, Grid]]:
    """The grid where the image is, if it has no place of its own: voxels alike, and what is written is a default."""
    if grid.shape != image.shape:
        return
    matrix = grid.affine[:3, :3]
    sizes = np.linalg.norm(matrix, axis=0)
    is_at_zero = not grid.affine[:3, 3].any()
    is_alike = bool(np.allclose(sizes[::-1], image.spacing_mm, rtol=1e-3))
    is_along = bool(np.count_nonzero(np.abs(matrix) > 1e-6 * sizes.max()) == 3 and np.diag(matrix).all())
    if not grid.is_oriented and image.is_oriented:
        yield "no position", image
    elif is_along and is_at_zero and (is_alike or np.allclose(sizes, 1.0)):
        yield "a default in place of position and orientation", image
    elif is_alike and is_at_zero:
        yield "an origin of zero", _with(grid, _affine(matrix, image.affine[:3, 3]))
    elif is_alike and is_along:
        directions = image.affine[:3, :3]
        yield "no orientation", _with(grid, _affine(directions, grid.affine[:3, 3]))


def _affine(matrix: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.eye(4, dtype=np.float64)
    out[:3, :3], out[:3, 3] = matrix, origin
    return out


def _with(grid: Grid, affine: NDArray[np.float64]) -> Grid:
    return Grid(grid.shape, affine, grid.frame_of_reference, grid.is_oriented)
