"""Surfaces: how far the borders of two masks lie apart, in millimetres.

The definition is that of DeepMind's surface-distance (S. Nikolov et al., arXiv:1809.04430), which others measure with
too: a surface is made of elements between eight neighbouring voxels, each with the area that marching cubes give it;
the distance of an element is that to the nearest element of the other surface; HD95 is the larger of the two
distances within which 95 % of the area of each surface lie. A single plane is measured as outlines, by length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement import surface_kernels as kernels
from isocenter.agreement.boxes_of_masks import box_of
from isocenter.agreement.surface_areas import areas, lengths


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Two surfaces, element by element.

    Args:
        distances_mm: From each element of the one surface to the other, nearest first, and back.
        areas: Of the same elements, in square millimetres; in millimetres on a single plane.
    """

    distances_mm: tuple[NDArray[np.float64], NDArray[np.float64]]
    areas: tuple[NDArray[np.float64], NDArray[np.float64]]

    def hausdorff_mm(self, share: float = 0.95) -> float | None:
        """The distance that holds this share of both surfaces; None where one of them is missing."""
        if not all(len(each) for each in self.distances_mm):
            return None
        return max(
            float(d[min(int(np.searchsorted(np.cumsum(a) / np.sum(a), share)), len(d) - 1)])
            for d, a in zip(self.distances_mm, self.areas, strict=True)
        )

    def dice(self, tolerance_mm: float) -> float | None:
        """Share of both surfaces within a tolerance of the other: None without any surface, 0 if one is missing."""
        total = sum(float(np.sum(each)) for each in self.areas)
        if not total:
            return None
        pairs = zip(self.distances_mm, self.areas, strict=True)
        return sum(float(np.sum(a[d <= tolerance_mm])) for d, a in pairs) / total


@dataclass(frozen=True, slots=True, eq=False)
class _Elements:
    """Where the elements of a surface lie: a position is the corner that eight voxels share."""

    shape: tuple[int, int, int]
    rows: NDArray[np.int64]
    columns: NDArray[np.int32]
    areas: NDArray[np.float64]


def surface_distances(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    *,
    is_plane: bool | None = None,
) -> SurfaceDistances:
    """Measure two masks (K, J, I) against each other.

    Args:
        first: One mask.
        second: The other, of its shape.
        spacing_mm: Distance of voxels along (k, j, i), at right angles.
        is_plane: Whether the image is a single plane and outlines are measured; None: where the masks are one.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks are {first.shape} and {second.shape}")
    box = box_of((first, second))
    nothing = np.empty(0)
    if box is None:
        return SurfaceDistances((nothing, nothing), (nothing, nothing))
    flat = len(first) == 1 if is_plane is None else is_plane
    cuts = (np.ascontiguousarray(each[box]) for each in (first, second))
    one, other = (_elements(each, spacing_mm, is_plane=flat) for each in cuts)
    there, back = _distances(one, other, spacing_mm), _distances(other, one, spacing_mm)
    order, order_back = np.argsort(there, kind="stable"), np.argsort(back, kind="stable")
    return SurfaceDistances((there[order], back[order_back]), (one.areas[order], other.areas[order_back]))


def _elements(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float], *, is_plane: bool
) -> _Elements:
    """The surface of a cut-out mask; outside of it nothing is marked."""
    voxels = mask.view(np.uint8)
    table = areas(spacing_mm)
    if is_plane:  # of a plane only the corners of the lower layer are marked, which are bits 4 to 7
        table = np.zeros(256)
        table[np.arange(16) << 4] = lengths(spacing_mm[1:])
    k, j, i = voxels.shape
    shape = (1 if is_plane else k + 1, j + 1, i + 1)
    counts = np.zeros(shape[0] * shape[1] + 1, dtype=np.int64)
    whole = 0xF0 if is_plane else 0xFF
    kernels.count_elements(voxels, whole, shape[0], counts[1:])
    rows = np.cumsum(counts)
    columns, sizes = np.empty(int(rows[-1]), dtype=np.int32), np.empty(int(rows[-1]))
    kernels.find_elements(voxels, whole, shape[0], table, rows, columns, sizes)
    return _Elements(shape, rows, columns, sizes)


def _distances(
    here: _Elements, there: _Elements, spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Of each element here to the nearest there; infinite where there are none."""
    if not len(there.columns) or not len(here.columns):
        return np.full(len(here.columns), np.inf)
    row = np.repeat(np.arange(len(here.rows) - 1), np.diff(here.rows))
    k, j = np.divmod(row, here.shape[1])
    order = np.lexsort((k, j, here.columns))
    asked: NDArray[Any] = np.stack((k[order], j[order], here.columns[order])).astype(np.int32)
    starts = np.searchsorted(asked[2], np.arange(here.shape[2] + 1))
    spacing = np.array(spacing_mm)
    squares = kernels.near_squares(asked, there.shape, there.rows, there.columns, spacing)
    kernels.nearest_squares(asked, starts, there.shape, there.rows, there.columns, spacing, squares)
    out = np.empty(len(order))
    out[order] = np.sqrt(squares)
    return out
