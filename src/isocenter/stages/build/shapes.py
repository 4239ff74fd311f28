"""Shapes as what they are for a task: voxels, boxes, or points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.pixel_shapes import AxialPoints, PixelBoxes
from isocenter.imaging.shapes import (
    BoxShape,
    EllipsoidShape,
    MaskShape,
    PointShape,
    TurnedBox,
    boxes_to_voxel,
)
from isocenter.model.annotation import Shape
from isocenter.model.grid import Grid
from isocenter.stages.build.opinions import Corners


def boxes_in(shape: Shape | None, native: Grid, slice_number: int | None = None) -> list[Corners] | None:
    """The boxes around what was drawn, in millimetres; None of a shape that was drawn voxel by voxel, or as points.

    Args:
        shape: What was drawn.
        native: The grid of the image.
        slice_number: The slice of the image that boxes on a picture are on.
    """
    if isinstance(shape, TurnedBox):
        shape = shape.around
    if isinstance(shape, EllipsoidShape):
        reach = np.linalg.norm(shape.halves_mm, axis=0)
        return [(*(shape.centre_mm - reach).tolist(), *(shape.centre_mm + reach).tolist())]
    if isinstance(shape, BoxShape):
        return [(*shape.lo_mm, *shape.hi_mm)]
    if isinstance(shape, PixelBoxes):
        return _of_picture(shape, native, slice_number)
    return None


def points_in(shape: Shape | None, native: Grid, slice_number: int | None = None) -> list[Corners] | None:
    """Points with a diameter, 0 where none is told; a line of two points is its middle, as wide as it is long."""
    if isinstance(shape, PixelPoints):
        # pixels are counted from the corner of the first, half a pixel before its centre
        number = _slice_of(native, slice_number, "points were drawn on no slice that is named")
        rows = [(x - 0.5, y - 0.5, float(number)) for x, y in shape.points.tolist()]
        shape = PointShape(native.to_world(np.array(rows, dtype=np.float64)), is_line=shape.is_line)
    if isinstance(shape, AxialPoints):
        k, j, i = np.nonzero(shape.mask(native))
        centres = native.to_world(np.stack((i, j, k), axis=-1).astype(np.float64))
        return [(*centre, 0.0) for centre in centres.tolist()]
    if not isinstance(shape, PointShape):
        return None
    if not shape.is_line:
        return [(*point, 0.0) for point in shape.points_mm.tolist()]
    width = shape.length_mm if len(shape.points_mm) == 2 else 0.0
    return [(*shape.points_mm.mean(axis=0).tolist(), width)]


def on_slice(shape: Shape | None, native: Grid, slice_number: int | None) -> Shape | None:
    """Outlines on one picture as voxels of the slice that it is; any other shape as it is."""
    if not isinstance(shape, PixelOutlines):
        return shape
    number = _slice_of(native, slice_number, "outlines were drawn on no slice that is named")
    out = np.zeros(native.shape, dtype=np.bool_)
    affine = native.affine.copy()
    affine[:3, 3] += affine[:3, 2] * number
    out[number] = shape.mask(Grid((1, *native.shape[1:]), affine, native.frame_of_reference))[0]
    return MaskShape(out, native)


def box_around(point: Corners) -> Corners | None:
    """The box around a point with a diameter; None where there is none."""
    half = point[3] / 2
    return (*(v - half for v in point[:3]), *(v + half for v in point[:3])) if half > 0 else None


def filled(boxes: list[Corners], grid: Grid) -> NDArray[np.bool_]:
    """Voxels (K, J, I) inside any of some boxes."""
    out = np.zeros(grid.shape, dtype=np.bool_)
    for box in boxes_to_voxel(np.array(boxes, dtype=np.float64).reshape(-1, 6), grid).tolist():
        out[box[0] : box[3], box[1] : box[4], box[2] : box[5]] = True
    return out


def _of_picture(shape: PixelBoxes, native: Grid, slice_number: int | None) -> list[Corners]:
    number = _slice_of(native, slice_number, "boxes were drawn on no slice that is named")
    size = (native.shape[2], native.shape[1])
    if shape.size is not None and shape.size != size:
        raise FormatError(
            "read/other-grid",
            "boxes were drawn on a picture of another size than the image",
            measured=f"{size[0]} x {size[1]} pixels",
            expected=f"{shape.size[0]} x {shape.size[1]} pixels",
        )
    out = []
    for left, upper, right, lower in shape.boxes.tolist():
        # borders are counted from the corner of the first pixel, half a pixel before its centre
        low = np.array([left - 0.5, upper - 0.5, number - 0.5])
        high = np.array([right - 0.5, lower - 0.5, number + 0.5])
        corners = np.array([np.where([n & 1, n & 2, n & 4], high, low) for n in range(8)])
        world = np.round(native.to_world(corners), 6)
        out.append((*world.min(axis=0).tolist(), *world.max(axis=0).tolist()))
    return out


def _slice_of(native: Grid, slice_number: int | None, message: str) -> int:
    if slice_number is None and native.shape[0] > 1:
        raise FormatError(
            "read/other-grid", message, measured=f"{native.shape[0]} slices", expected="1 slice"
        )
    return slice_number or 0
