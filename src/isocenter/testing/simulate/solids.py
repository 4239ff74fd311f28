"""Ellipsoids in closed form: which voxel centres they hold, and their outline on a slice.

A drawn structure is decided by one number per slice, the *level* of the ellipsoid's own quadratic form.
It is put into the widest gap between the levels of the voxel centres near the surface, and so are all
vertices and edges of the outline. The mask that the outline must give under the even-odd rule at voxel
centres is therefore known without rasterising anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate.lattice import Lattice

# Levels within which the drawn surface may lie: +-5 % of the radius around the true surface.
_LOWEST, _HIGHEST = 0.9, 1.1
_MIN_VOXELS = 4


@dataclass(frozen=True, slots=True)
class Solid:
    """An ellipsoid with axes along x, y and z.

    Args:
        centre: LPS millimetres.
        radii: Half axes in millimetres; a huge one makes a cylinder.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    @property
    def volume_ml(self) -> float:
        """Its volume."""
        return 4 / 3 * math.pi * math.prod(self.radii) / 1000

    def scaled(self, factor: float) -> Solid:
        """The same shape about the same centre, larger or smaller."""
        return Solid(self.centre, tuple3(r * factor for r in self.radii))

    def moved(self, offset: tuple[float, float, float]) -> Solid:
        """The same shape elsewhere."""
        return Solid(tuple3(c + o for c, o in zip(self.centre, offset, strict=True)), self.radii)

    def window(self, lattice: Lattice, margin: float = 1.0) -> tuple[slice, slice, slice] | None:
        """The box of voxels (k, j, i) around it, or None where it lies outside the lattice."""
        form = lattice.steps / np.array(self.radii)[:, None]
        middle = np.linalg.solve(lattice.steps, np.array(self.centre) - lattice.origin)
        reach = np.sqrt(np.diag(np.linalg.inv(form.T @ form))) * margin
        lows, highs = np.ceil(middle - reach), np.floor(middle + reach) + 1
        box = []
        for low, high, extent in zip(lows, highs, lattice.shape[::-1], strict=True):
            first, last = int(max(low, 0)), int(min(high, extent))
            if first >= last:
                return None
            box.append(slice(first, last))
        return box[2], box[1], box[0]

    def levels(self, lattice: Lattice, box: tuple[slice, slice, slice]) -> NDArray[np.float64]:
        """Its quadratic form at the voxel centres of a box: below 1 inside, 1 on the surface."""
        radii = np.array(self.radii)
        form = lattice.steps / radii[:, None]
        start = (lattice.origin - np.array(self.centre)) / radii
        k, j, i = (np.arange(part.start, part.stop, dtype=np.float64) for part in box)
        total = np.zeros((k.size, j.size, i.size))
        for row in range(3):
            in_plane = (form[row, 1] * j)[:, None] + form[row, 0] * i
            line = (start[row] + form[row, 2] * k)[:, None, None] + in_plane
            line *= line
            total += line
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A solid as drawn slice by slice.

    Args:
        mask: (K, J, I) bool: the voxel centres that the outlines enclose.
        outlines: Slice index to vertices (N, 3) in LPS millimetres.
        margin: Smallest distance, as a share of the radius, of any outline from any voxel centre.
    """

    mask: NDArray[np.bool_]
    outlines: dict[int, NDArray[np.float64]]
    margin: float


def draw(solid: Solid, lattice: Lattice) -> Drawing:
    """Draw a solid on every slice where it holds at least a few voxel centres."""
    mask = np.zeros(lattice.shape, dtype=np.bool_)
    outlines: dict[int, NDArray[np.float64]] = {}
    margin = 1.0
    box = solid.window(lattice, margin=1.2)
    if box is None:
        return Drawing(mask, outlines, margin)
    levels = solid.levels(lattice, box)
    for k, plane in enumerate(levels, start=box[0].start):
        low, high = _widest_gap(plane)
        if np.count_nonzero(plane < high) < _MIN_VOXELS:
            continue
        vertices = _outline(solid, lattice, k, low, high)
        if vertices is not None:
            mask[k, box[1], box[2]] = plane <= low
            outlines[k] = vertices
            margin = min(margin, (high - low) / 6)
    return Drawing(mask, outlines, margin)


def _widest_gap(plane: NDArray[np.float64]) -> tuple[float, float]:
    """The two neighbouring levels near the surface that lie farthest apart."""
    near = np.sort(plane[(plane > _LOWEST) & (plane < _HIGHEST)])
    near = np.concatenate([[_LOWEST], near, [_HIGHEST]])
    widest = int(np.argmax(np.diff(near)))
    return float(near[widest]), float(near[widest + 1])


def _outline(solid: Solid, lattice: Lattice, k: int, low: float, high: float) -> NDArray[np.float64] | None:
    """Vertices of a polygon whose every point has a level strictly between `low` and `high`."""
    radii = np.array(solid.radii)
    form = lattice.steps[:, :2] / radii[:, None]
    start = (lattice.position(k) - np.array(solid.centre)) / radii
    square = form.T @ form
    middle = -np.linalg.solve(square, form.T @ start)
    lowest = float(np.sum((start + form @ middle) ** 2))
    # The polygon is regular in the ellipse's own coordinates: its edges dip to level
    # lowest + (level - lowest) cos^2(pi / n). Vertices lie a third of the gap below its upper end.
    level = high - (high - low) / 3
    if level - lowest < 0.02:
        return None
    dip = (high - low) / 3 / (level - lowest)
    count = max(16, math.ceil(math.pi / math.asin(math.sqrt(min(dip, 0.5)))))
    angle = 2 * math.pi * np.arange(count) / count
    circle = np.stack([np.cos(angle), np.sin(angle)]) * math.sqrt(level - lowest)
    in_plane = middle[:, None] + np.linalg.solve(np.linalg.cholesky(square).T, circle)
    return np.asarray(lattice.position(k) + (lattice.steps[:, :2] @ in_plane).T)


def tuple3(values: Iterable[float]) -> tuple[float, float, float]:
    """Three numbers as a tuple of floats."""
    x, y, z = (float(v) for v in values)
    return x, y, z
