"""Where the simulated scanner samples the patient: its own geometry, written in DICOM's LPS millimetres.

Nothing here comes from the product. A `Lattice` is the only description of a grid that the writers
know, so that what a file says and what the truth says have one origin, and what the product makes of the
file is compared with something it never touched.

Points are LPS (x to the left, y to the back, z to the head); voxel arrays are `(K, J, I)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0))
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A grid of voxel centres.

    Args:
        origin: Centre of voxel (0, 0, 0).
        steps: (3, 3); its columns are the steps of i, j and k in millimetres.
        shape: (K, J, I).
    """

    origin: Vector
    steps: NDArray[np.float64]
    shape: tuple[int, int, int]

    @classmethod
    def around(
        cls,
        centre: Sequence[float],
        axes: Sequence[Sequence[float]],
        spacing_mm: tuple[float, float, float],
        shape: tuple[int, int, int],
    ) -> Lattice:
        """A lattice whose middle is at `centre`; `axes` are the directions of i, j, k.

        The origin is rounded to a ten-thousandth of a millimetre, because headers hold decimal text.
        """
        steps = np.array(axes, dtype=np.float64).T * np.array(spacing_mm[::-1])
        half = (np.array(shape[::-1]) - 1) / 2
        return cls(np.round(np.array(centre, dtype=np.float64) - steps @ half, 4), steps, shape)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Length of the steps of k, j, i."""
        i, j, k = (float(n) for n in np.linalg.norm(self.steps, axis=0))
        return k, j, i

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return abs(float(np.linalg.det(self.steps))) / 1000

    @property
    def normal(self) -> Vector:
        """Unit vector across the slices, as DICOM defines it: row direction x column direction."""
        across = np.cross(self.steps[:, 0], self.steps[:, 1])
        return np.asarray(across / np.linalg.norm(across))

    def position(self, k: int) -> Vector:
        """Centre of the first voxel of a slice: its Image Position (Patient)."""
        return np.asarray(self.origin + k * self.steps[:, 2])

    def affine_ras(self) -> NDArray[np.float64]:
        """The (4, 4) matrix from (i, j, k, 1) to RAS+ millimetres, as NIfTI wants it."""
        out = np.eye(4)
        out[:3, :3] = self.steps
        out[:3, 3] = self.origin
        out[:2] *= -1
        return out

    def sheared(self, degrees: float) -> Lattice:
        """The same slices pushed along the columns, as a tilted gantry leaves them."""
        steps = self.steps.copy()
        column = steps[:, 1] / np.linalg.norm(steps[:, 1])
        steps[:, 2] += column * np.tan(np.radians(degrees)) * np.linalg.norm(steps[:, 2])
        return Lattice(self.origin, steps, self.shape)

    def resampled(self, spacing_mm: tuple[float, float, float]) -> Lattice:
        """A lattice of another spacing over the same region, axes unchanged."""
        old = np.array(self.spacing_mm)
        shape = np.maximum(np.floor(np.array(self.shape) * old / np.array(spacing_mm)), 1)
        centre = self.origin + self.steps @ ((np.array(self.shape[::-1]) - 1) / 2)
        axes = (self.steps / old[::-1]).T
        return Lattice.around(
            centre.tolist(), axes.tolist(), spacing_mm, (int(shape[0]), int(shape[1]), int(shape[2]))
        )

    def stored_as(self, order: Sequence[int], flips: Sequence[int]) -> Lattice:
        """The same voxels with axes i, j, k taken in another order and some of them backwards.

        `order` lists which of our i, j, k (0, 1, 2) become the new i, j, k; `flips` the new axes that run
        the other way.
        """
        extent = np.array(self.shape[::-1])[list(order)]
        steps = self.steps[:, list(order)].copy()
        origin = self.origin.copy()
        for axis in flips:
            origin += steps[:, axis] * (extent[axis] - 1)
            steps[:, axis] *= -1
        return Lattice(origin, steps, (int(extent[2]), int(extent[1]), int(extent[0])))

    def to_canonical(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The `order` and `flips` of `stored_as` that make i point right, j to the front, k to the head."""
        nearest = [
            int(np.argmax(np.abs(self.steps[:, a] / np.linalg.norm(self.steps[:, a])))) for a in range(3)
        ]
        order = tuple(nearest.index(world) for world in range(3))
        towards = (-1.0, -1.0, 1.0)
        return order, tuple(w for w, a in enumerate(order) if self.steps[w, a] * towards[w] < 0)


def rearranged(array: NDArray[np.generic], order: Sequence[int], flips: Sequence[int]) -> NDArray[np.generic]:
    """The voxels (K, J, I) that belong to `lattice.stored_as(order, flips)`."""
    by_ijk = array.transpose(2, 1, 0).transpose(tuple(order))
    for axis in flips:
        by_ijk = np.flip(by_ijk, axis)
    return np.ascontiguousarray(by_ijk.transpose(2, 1, 0))


def turned(axes: Sequence[Sequence[float]], about_x: float, about_z: float) -> tuple[tuple[float, ...], ...]:
    """The three directions turned by degrees about x, then about z."""
    a, b = np.radians(about_x), np.radians(about_z)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return tuple(tuple(float(v) for v in z @ x @ np.array(axis)) for axis in axes)
