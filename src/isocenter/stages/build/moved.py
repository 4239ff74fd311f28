"""Moved: annotations brought from one frame of reference to another by the matrix of a registration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.shapes import (
    BoxShape,
    Contours,
    EllipsoidShape,
    FractionShape,
    MaskShape,
    PointShape,
    TurnedBox,
)
from isocenter.model.annotation import Annotation, Shape
from isocenter.model.grid import Grid
from isocenter.model.reasons import because

Matrix = NDArray[np.float64]

# How far from right angles edges of a box may come to lie.
_SKEW = 1e-3


def moved(annotation: Annotation, matrix: Matrix) -> Annotation:
    """The annotation where a registration has it; what it looks like in voxels is not changed.

    Args:
        annotation: In the frame of reference that it was drawn in.
        matrix: (4, 4); takes its millimetres, RAS+, to those of its image.

    Raises:
        FormatError: its shape is one of pixels, or would no longer be what it is.
    """
    told = because("read/registered", target=annotation.id, measured=_told(matrix))
    grid = annotation.grid
    return replace(
        annotation,
        shape=None if annotation.shape is None else _moved(annotation.shape, matrix),
        extent=None if annotation.extent is None else _moved(annotation.extent, matrix),
        grid=None if grid is None else _grid(grid, matrix),
        issues=(*annotation.issues, told),
    )


def _moved(shape: Shape, matrix: Matrix) -> Shape:
    if isinstance(shape, MaskShape | FractionShape):
        return replace(shape, grid=_grid(shape.grid, matrix))
    if isinstance(shape, Contours):
        return replace(shape, polygons=tuple(_points(p, matrix) for p in shape.polygons))
    if isinstance(shape, PointShape):
        return replace(shape, points_mm=_points(shape.points_mm, matrix))
    if isinstance(shape, EllipsoidShape):
        centre = _points(shape.centre_mm[np.newaxis], matrix)[0]
        return EllipsoidShape(centre, shape.halves_mm @ matrix[:3, :3].T)
    if isinstance(shape, BoxShape):
        low, high = np.array(shape.lo_mm), np.array(shape.hi_mm)
        shape = TurnedBox((low + high) / 2, np.eye(3), high - low)
    if isinstance(shape, TurnedBox):
        return _box(shape, matrix)
    raise FormatError("read/other-frame", "what was drawn in pixels of another image cannot be registered")


def _box(shape: TurnedBox, matrix: Matrix) -> TurnedBox:
    edges = shape.axes @ matrix[:3, :3].T
    sizes = np.linalg.norm(edges, axis=1)
    axes = edges / sizes[:, np.newaxis]
    if np.abs(axes @ axes.T - np.eye(3)).max() > _SKEW:
        raise FormatError("read/other-frame", "a box would be no box any more where the registration has it")
    return TurnedBox(_points(shape.centre_mm[np.newaxis], matrix)[0], axes, shape.size_mm * sizes)


def _points(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3], dtype=np.float64)


def _grid(grid: Grid, matrix: Matrix) -> Grid:
    return Grid(grid.shape, matrix @ grid.affine, "", grid.is_oriented)


def _told(matrix: Matrix) -> str:
    """How far the registration turns and shifts, which says more than sixteen numbers."""
    sizes = np.linalg.norm(matrix[:3, :3], axis=0)
    turn = (np.trace(matrix[:3, :3] / sizes) - 1) / 2
    degrees = float(np.degrees(np.arccos(np.clip(turn, -1.0, 1.0))))
    return f"turned by {degrees:.1f} degrees, origin shifted by {np.linalg.norm(matrix[:3, 3]):.1f} mm"
