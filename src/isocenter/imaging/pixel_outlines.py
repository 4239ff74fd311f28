"""Shapes drawn on single images with pixels as their unit: closed outlines, and points.

Positions are (column, row), counted from the upper left corner of the upper left pixel (PS3.3 C.10.5.1.2), so that the
centre of that pixel is at 0.5, 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.contours import SNAP_DECIMALS, fill_plane
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class PixelOutlines:
    """Closed outlines of one structure on one image.

    Args:
        polygons: Points (N, 2), one array an outline; the last point need not repeat the first.
        holes: Outlines of what is left out.
    """

    polygons: tuple[NDArray[np.float64], ...]
    holes: tuple[NDArray[np.float64], ...] = ()

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Pixels (1, J, I), in the order in which the image is stored, whose centres lie in an outline and in no hole.

        Raises:
            FormatError: the grid has several slices, or an outline leaves it.
        """
        out = _blank(grid)
        for points in self.polygons:
            out[0] |= _inside(points, grid)
        for points in self.holes:
            out[0] &= ~_inside(points, grid)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class PixelPoints:
    """Points on one image.

    Args:
        points: Points (N, 2), in the order they were set.
        is_line: Whether they are joined to a line or an angle.
    """

    points: NDArray[np.float64]
    is_line: bool = False

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The pixels (1, J, I) that the points themselves lie in.

        Raises:
            FormatError: the grid has several slices, or a point is outside of it.
        """
        out = _blank(grid)
        columns, rows = _within(self.points, grid).T
        # the outer border of the last pixel is that pixel's
        last = np.array(grid.shape[1:]) - 1
        out[
            0,
            np.minimum(np.floor(rows), last[0]).astype(int),
            np.minimum(np.floor(columns), last[1]).astype(int),
        ] = True
        return out


def _blank(grid: Grid) -> NDArray[np.bool_]:
    if grid.shape[0] != 1:
        raise FormatError(
            "read/other-grid",
            "what was drawn on a single image, on a volume",
            measured=f"{grid.shape[0]} slices",
            expected="1 slice",
        )
    return np.zeros(grid.shape, dtype=np.bool_)


def _inside(points: NDArray[np.float64], grid: Grid) -> NDArray[np.bool_]:
    centred = np.round(_within(points, grid) - 0.5, SNAP_DECIMALS)
    return fill_plane([centred], grid.shape[1:])


def _within(points: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    size = np.array(grid.shape[:0:-1], dtype=np.float64)
    if (points < -1).any() or (points > size + 1).any():
        raise FormatError(
            "read/other-grid",
            "a drawing leaves the image that it was made on",
            measured=f"{points.max():.0f}",
            expected=f"at most {size.max():.0f}",
        )
    return np.asarray(np.clip(points, 0, size))
