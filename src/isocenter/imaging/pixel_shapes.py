"""Shapes given in pixels of single images: outlines on axial slices, boxes on pictures; the grid says where they are.

Pixels are counted from the upper left corner of the image as it is shown: of an axial CT in standard orientation
(PS3.3 C.7.6.2.1.1: rows run to the left of the patient, columns to the back) that is the right anterior one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import canonical
from isocenter.imaging.contours import fill_plane
from isocenter.model.grid import Grid

# As a share of a voxel: how far the axes of an axial image may be off those of the patient over its whole width.
_AXIAL_VOXELS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """One outline on one slice.

    Args:
        z_mm: Where the slice is, towards the head.
        pixels: (N, 2) column and row of every pixel of the outline.
        is_hole: Whether what it encloses is left out.
    """

    z_mm: float
    pixels: NDArray[np.int64]
    is_hole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AxialOutlines:
    """Outlines through the first pixels outside a structure, as readers of the LIDC drew them.

    Args:
        outlines: All of one structure.
    """

    outlines: tuple[Outline, ...]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) strictly inside the outlines, without what is strictly inside holes.

        Raises:
            FormatError: the image is not axial, or has no slice where an outline is.
        """
        out = np.zeros(grid.shape, dtype=np.bool_)
        view, places = _axial(grid, out, tuple(one.z_mm for one in self.outlines))
        ordered = sorted(zip(self.outlines, places, strict=True), key=lambda pair: pair[0].is_hole)
        for one, place in ordered:
            inside = _strictly_inside(one.pixels, view.shape[1:])
            if one.is_hole:
                view[place][inside] = False
            else:
                view[place] |= inside
        return out


@dataclass(frozen=True, slots=True, eq=False)
class AxialPoints:
    """Pixels on axial slices.

    Args:
        z_mm: Where each slice is, towards the head.
        pixels: (N, 2) column and row.
    """

    z_mm: tuple[float, ...]
    pixels: NDArray[np.int64]

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The voxels (K, J, I) themselves.

        Raises:
            FormatError: as of outlines, or a pixel is outside the image.
        """
        out = np.zeros(grid.shape, dtype=np.bool_)
        view, places = _axial(grid, out, self.z_mm)
        for place, (column, row) in zip(places, self.pixels, strict=True):
            _refuse_outside(np.array([[column, row]]), view.shape[1:])
            view[place, row, column] = True
        return out


@dataclass(frozen=True, slots=True, eq=False)
class PixelBoxes:
    """Boxes on one picture.

    Args:
        boxes: (N, 4) left, upper, right and lower border, counted from the upper left corner of the upper left pixel.
        size: Columns and rows of the picture; None where that is not told.
    """

    boxes: NDArray[np.float64]
    size: tuple[int, int] | None = None

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Pixels (1, J, I), in the order in which the picture is stored, whose centres lie in a box.

        Raises:
            FormatError: the image is a volume, or of another size.
        """
        if grid.shape[0] != 1 or (self.size is not None and self.size != (grid.shape[2], grid.shape[1])):
            raise FormatError(
                "read/other-grid",
                "boxes were drawn on a picture of another size than the image",
                measured=f"{grid.shape[2]} x {grid.shape[1]} pixels in {grid.shape[0]} slices",
                expected="1 slice" if self.size is None else f"{self.size[0]} x {self.size[1]} pixels",
            )
        out = np.zeros(grid.shape, dtype=np.bool_)
        for left, upper, right, lower in np.ceil(np.round(self.boxes, 6) - 0.5).astype(int):
            out[0, max(upper, 0) : max(lower, 0), max(left, 0) : max(right, 0)] = True
        return out


def _axial(
    grid: Grid, out: NDArray[np.bool_], heights_mm: tuple[float, ...]
) -> tuple[NDArray[np.bool_], list[int]]:
    """An array of a grid as it is shown (slices towards the head, rows to the left), and the slices at some heights."""
    reorder = canonical(grid)
    affine, shape = reorder.grid.affine, reorder.grid.shape
    across = affine[:3, :3] * np.array(shape[::-1])
    np.fill_diagonal(across, 0)
    if not grid.is_oriented or (np.abs(across) > _AXIAL_VOXELS * np.array(reorder.grid.spacing_mm)).any():
        raise FormatError("read/other-grid", "outlines of axial slices, on an image that is not axial")
    places = (np.array(heights_mm) - affine[2, 3]) / affine[2, 2]
    slices = np.floor(places + 0.5).astype(int)
    if ((slices < 0) | (slices >= shape[0])).any():
        raise FormatError("read/other-grid", "an outline lies on no slice of the image")
    # the canonical array runs to the right and to the front
    return reorder.view(out)[:, ::-1, ::-1], slices.tolist()


def _strictly_inside(pixels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """What an outline encloses, without the pixels that it runs through."""
    _refuse_outside(pixels, shape)
    inside = fill_plane([pixels.astype(np.float64)], shape)
    for start, end in zip(pixels, np.roll(pixels, -1, axis=0), strict=True):
        steps = math.gcd(*np.abs(end - start).tolist())
        for n in range(steps + 1):
            column, row = start + (end - start) * n // max(steps, 1)
            inside[row, column] = False
    return inside


def _refuse_outside(pixels: NDArray[np.int64], shape: tuple[int, ...]) -> None:
    if (pixels < 0).any() or (pixels >= shape[::-1]).any():
        raise FormatError("read/other-grid", "an outline leaves the image that it was drawn on")
