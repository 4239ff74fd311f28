"""Grid: where voxels are in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Shape, affine and frame of reference of an image.

    Args:
        shape: (K, J, I): slices, rows, columns.
        affine: float64 (4, 4); takes (i, j, k, 1) of voxel centres to millimetres in RAS+.
        frame_of_reference: Pseudonym of the frame; "" where none is known.
        is_oriented: False where the file says nothing about the patient (a plain radiograph, a NIfTI file
            with neither qform nor sform): then the affine holds voxel sizes only.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    frame_of_reference: str = ""
    is_oriented: bool = True

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (k, j, i)."""
        i, j, k = (float(n) for n in np.linalg.norm(self.affine[:3, :3], axis=0))
        return k, j, i

    @property
    def slice_distance_mm(self) -> float:
        """Distance between slices along their normal: less than `spacing_mm[0]` where the stack is sheared."""
        normal = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        length = float(np.linalg.norm(normal))
        return abs(float(normal @ self.affine[:3, 2])) / length if length else 0.0

    @property
    def axis_codes(self) -> str:
        """Three letters of R/L, A/P, S/I: the direction nearest to each of i, j, k."""
        out = []
        for axis in range(3):
            column = self.affine[:3, axis]
            world = int(np.argmax(np.abs(column)))
            out.append(("LR", "PA", "IS")[world][int(column[world] > 0)])
        return "".join(out)

    def to_world(self, ijk: NDArray[np.float64]) -> NDArray[np.float64]:
        """Millimetres in RAS+ (N, 3) of voxel indices (N, 3) in the order i, j, k."""
        return np.asarray(ijk @ self.affine[:3, :3].T + self.affine[:3, 3], dtype=np.float64)

    def to_voxel(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxel indices (N, 3) in the order i, j, k, as fractions, of millimetres in RAS+ (N, 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(xyz_mm @ inverse[:3, :3].T + inverse[:3, 3], dtype=np.float64)

    def corners_mm(self) -> NDArray[np.float64]:
        """The eight corner voxel centres (8, 3) in RAS+ millimetres, i fastest."""
        k, j, i = (n - 1 for n in self.shape)
        ijk = np.array([(a, b, c) for c in (0, k) for b in (0, j) for a in (0, i)], dtype=np.float64)
        return self.to_world(ijk)
