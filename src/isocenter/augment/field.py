"""Field: a smooth displacement in millimetres that neither folds nor changes volumes by more than it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isocenter.augment import splines

INJECTIVE = 1 / 2.48
"""Control points moved along each axis by less than this share of their distance: the spline cannot fold.

Choi and Lee, Injectivity conditions of 2D and 3D uniform cubic B-spline functions, Graphical Models 62, 2000.
"""

_PER_CELL = 8  # places along each axis of a cell where volumes are measured
_RESERVE = (
    0.95  # the share of a band that may be used at those places, as between them there may be a little more
)
_HALVINGS = 30
_ROUNDS, _NEAR_MM = 200, 1e-10


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """Displacements d of control points around a patch: what comes to lie at y was at y + d(y).

    Args:
        lattice: float64 (3, Gk, Gj, Gi): RAS+ mm of each control point.
        cell_mm: Distance of control points, along the axes of the array.
        shape: (K, J, I) of the patch, on the middle of which the lattice is centred.
        steps: float64 (3, 3): mm of a step along i, j, k, as columns.
    """

    lattice: NDArray[np.float64]
    cell_mm: float
    shape: tuple[int, int, int]
    steps: NDArray[np.float64]

    @property
    def largest_mm(self) -> float:
        """No place is displaced by more: a spline stays within the hull of its control points."""
        return float(np.sqrt((self.lattice**2).sum(axis=0)).max())

    @property
    def largest_share(self) -> float:
        """The largest displacement along one axis, as a share of the distance of control points."""
        return float(np.abs(self.lattice).max()) / self.cell_mm

    @property
    def bend_per_mm(self) -> float:
        """The most that the displacement's slope changes in a millimetre along an axis of the array."""
        bends = [np.diff(self.lattice, n=2, axis=axis) for axis in (1, 2, 3)]
        return max(float(np.sqrt((b**2).sum(axis=0)).max()) for b in bends) / self.cell_mm**2

    def along(self, axis: int) -> NDArray[np.float64]:
        """Where the voxels along an array axis are, in cells."""
        n = self.shape[axis]
        step_mm = float(np.linalg.norm(self.steps[:, 2 - axis]))
        count = self.lattice.shape[axis + 1]
        out: NDArray[np.float64] = (np.arange(n) - (n - 1) / 2) * step_mm / self.cell_mm + (count - 3) / 2
        return out

    def volumes(self) -> tuple[float, float]:
        """The least and the largest factor by which a small volume changes, at `_PER_CELL` places of each cell."""
        trace, minors, det = self._invariants()
        jacobian = 1 + trace + minors + det
        return 1 / float(jacobian.max()), 1 / float(jacobian.min()) if jacobian.min() > 0 else math.inf

    def within(self, band: float) -> Field:
        """The field scaled back as far as needed for volumes to change by no more than a share."""
        trace, minors, det = self._invariants()
        low, high = 1 / (1 + _RESERVE * band), 1 / (1 - _RESERVE * band)

        def is_within(scale: float) -> bool:
            jacobian = 1 + scale * trace + scale**2 * minors + scale**3 * det
            return bool(low <= jacobian.min() and jacobian.max() <= high)

        if is_within(1.0):
            return self
        kept, over = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (kept + over) / 2
            kept, over = (middle, over) if is_within(middle) else (kept, middle)
        return replace(self, lattice=self.lattice * kept)

    def settle(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where what was at points (N, 3), mm from the patch's centre, comes to lie; to 1e-10 mm."""
        out = np.array(points, np.float64)
        ends = [(n - 3) / 2 for n in self.lattice.shape[1:]]
        splines.settle(self.lattice, self._to_cells, np.array(ends), out, _ROUNDS, _NEAR_MM)
        return out

    @property
    def _to_cells(self) -> NDArray[np.float64]:
        """Matrix (3, 3) from mm to (k, j, i) in cells."""
        unit = self.steps / np.linalg.norm(self.steps, axis=0)
        out: NDArray[np.float64] = np.linalg.inv(unit)[::-1] / self.cell_mm
        return out

    def _invariants(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Trace, sum of principal minors and determinant of the displacement's gradient at many places."""
        counts = self.lattice.shape[1:]
        places = [self._places(axis) for axis in range(3)]
        values = [splines.weights(at, n) for at, n in zip(places, counts, strict=True)]
        grown = [splines.slopes(at, n) for at, n in zip(places, counts, strict=True)]
        to_cells, gradient = self._to_cells, np.zeros((3, 3, *map(len, places)))
        for axis in range(3):
            by = [grown[a] if a == axis else values[a] for a in range(3)]
            along = np.einsum("cxyz,kx,jy,iz->ckji", self.lattice, *by, optimize=True)
            gradient += along[:, None] * to_cells[axis][None, :, None, None, None]
        g = gradient
        trace = g[0, 0] + g[1, 1] + g[2, 2]
        minors = sum(g[a, a] * g[b, b] - g[a, b] * g[b, a] for a, b in ((0, 1), (0, 2), (1, 2)))
        det = np.linalg.det(np.moveaxis(g, (0, 1), (-2, -1)))
        return trace, np.asarray(minors), det

    def _places(self, axis: int) -> NDArray[np.float64]:
        at = self.along(axis)
        return np.linspace(at[0], at[-1], math.ceil((at[-1] - at[0]) * _PER_CELL) + 1)


def draw_field(
    generator: np.random.Generator,
    *,
    largest_mm: float,
    cell_mm: float,
    shape: Sequence[int],
    affine: NDArray[np.float64],
    is_in_plane: bool,
) -> Field:
    """A field whose control points are each displaced by lot, by no more than `largest_mm`."""
    steps = affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)[::-1]
    cells = [
        max(1, math.ceil((n - 1) * step / cell_mm - 1e-9)) for n, step in zip(shape, lengths, strict=True)
    ]
    lattice = generator.uniform(-1, 1, (3, *(n + 3 for n in cells))) * (largest_mm / math.sqrt(3))
    if is_in_plane:
        normal = np.cross(steps[:, 0], steps[:, 1])
        normal /= np.linalg.norm(normal)
        lattice -= normal[:, None, None, None] * np.tensordot(normal, lattice, 1)
    k, j, i = shape
    return Field(lattice=lattice, cell_mm=cell_mm, shape=(k, j, i), steps=steps)
