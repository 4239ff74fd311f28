"""Areas: how much surface runs between eight neighbouring voxels, for each way to mark some of them.

The surface is that of marching cubes (Lorensen and Cline, Computer Graphics 21, 1987) through the middles of the
edges between marked and unmarked voxels. Marked voxels that touch only at an edge or a corner are apart. This is how
DeepMind's surface-distance weighs surfaces (S. Nikolov et al., arXiv:1809.04430).
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int, int]

# Bit n of a code is set if the voxel at this corner (k, j, i) is marked.
CORNERS: tuple[Corner, ...] = tuple(itertools.product((0, 1), repeat=3))  # type: ignore[arg-type]


def areas(spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Square millimetres of surface between the eight voxels, (256,) by code; spacing is (k, j, i)."""
    k, j, i = spacing_mm
    faces = np.array([j * i, k * i, k * j])  # a normal of length 1 along k stands for a whole face of j by i
    pieces = (_pieces([c for n, c in enumerate(CORNERS) if code >> n & 1]) for code in range(256))
    return np.array([math.fsum(float(np.linalg.norm(faces * each)) for each in some) for some in pieces])


def lengths(spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Millimetres of outline between four pixels of a single plane, (16,) by code; bits as (j, i) is counted up."""
    j, i = spacing_mm
    whole, corner = {0b0011: i, 0b1100: i, 0b0101: j, 0b1010: j}, math.hypot(j, i) / 2
    out = [whole.get(code, corner if code.bit_count() % 2 else 2 * corner) for code in range(16)]
    out[0] = out[15] = 0.0
    return np.array(out)


def _pieces(marked: list[Corner]) -> list[tuple[float, float, float]]:
    """Normals of the flat pieces of surface, each as long as its area is large."""
    if len(marked) > 4:  # the surface is the same from its other side
        marked = [corner for corner in CORNERS if corner not in marked]
    out = []
    left = list(marked)
    while left:
        group = [left.pop()]
        for corner in group:
            near = [other for other in left if _is_edge(corner, other)]
            group += near
            left = [other for other in left if other not in near]
        out += _around(group)
    return out


def _around(group: list[Corner]) -> list[tuple[float, float, float]]:
    """The surface around one to four corners that hang together by edges of the cube."""
    edges = [(a, b) for a, b in itertools.combinations(group, 2) if _is_edge(a, b)]
    along = [_axis(a, b) for a, b in edges]
    if len(group) == 1:
        return [(0.125, 0.125, 0.125)]
    if len(group) == 2:
        return [_normal(0.5, *{0, 1, 2} - set(along))]
    if len(group) == 3:
        return [_normal(0.5, *{0, 1, 2} - set(along)), (0.375, 0.375, 0.375)]
    if len(edges) == 4:
        return [_normal(1.0, *{0, 1, 2} - set(along))]
    ends = [sum(corner in edge for edge in edges) for corner in group]
    if 3 in ends:
        return [(0.75, 0.75, 0.75)]
    middle = next(
        axis for (a, b), axis in zip(edges, along, strict=True)
        if ends[group.index(a)] == 2 and ends[group.index(b)] == 2
    )  # fmt: skip
    others = sorted({0, 1, 2} - {middle})
    return [(0.5, 0.5, 0.5), *(_normal(0.25, middle, other) for other in others)]


def _is_edge(a: Corner, b: Corner) -> bool:
    return sum(x != y for x, y in zip(a, b, strict=True)) == 1


def _axis(a: Corner, b: Corner) -> int:
    return next(n for n in range(3) if a[n] != b[n])


def _normal(length: float, *axes: int) -> tuple[float, float, float]:
    k, j, i = (length if axis in axes else 0.0 for axis in range(3))
    return k, j, i
