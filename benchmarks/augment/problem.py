"""The problem that every case solves; numpy comes as an argument, as peers have their own."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

Matrix = list[list[float]]

PATCH = 128
SPACING_MM = 0.8
CONTROLS, LARGEST = 7, 6.0  # control points along each axis, and the largest displacement in voxels
ANGLES = (5.0, -4.0, 6.0)
FACTOR, SIGMA = 1.1, 0.01


def rotation() -> Matrix:
    """Matrix from a voxel (x, y, z) relative to the centre to where its value comes from: turns about x, y and z."""
    a, b, c = (math.radians(angle) for angle in ANGLES)
    x: Matrix = [[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]]
    y: Matrix = [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]]
    z: Matrix = [[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]]
    return _product(_product(x, y), z)


def _product(one: Matrix, other: Matrix) -> Matrix:
    return [[sum(one[i][k] * other[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def basis(np: Any) -> Any:
    """Weights (PATCH, CONTROLS) of cubic B-splines, the patch being divided into CONTROLS - 3 cells."""
    at = np.linspace(0, CONTROLS - 3, PATCH)
    cell = np.minimum(np.floor(at), CONTROLS - 4).astype(int)
    t = at - cell
    four = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    out = np.zeros((PATCH, CONTROLS))
    for n, each in enumerate(four):
        out[np.arange(PATCH), cell + n] = each / 6
    return out


def source_of(kind: str, matrix: Any, controls: Any, np: Any) -> Any:
    """Where each voxel's value comes from: (3, K, J, I), in order x, y, z."""
    grid = np.stack(np.meshgrid(*[np.arange(PATCH) * 1.0] * 3, indexing="ij")[::-1])
    if kind == "elastic":
        along = basis(np)
        return grid + np.einsum("cxyz,kx,jy,iz->ckji", controls, along, along, along, optimize=True)
    centre = (PATCH - 1) / 2
    return np.einsum("ab,bkji->akji", np.array(matrix), grid - centre) + centre


def warmed(run: Callable[[], Any]) -> Callable[[], None]:
    """The same once, for a beginning, after which all memory that is free is given back, so that its peak can be seen."""

    def warm_up() -> None:
        run()
        ctypes.CDLL("libc.so.6").malloc_trim(0)

    return warm_up
