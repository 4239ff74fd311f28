"""Sheets: contours that lie in no plane of voxels, filled by the planes they were drawn in.

Contours drawn on oblique reformats form parallel planes, each of which stands for what is nearer to it than to its
neighbours. A voxel's centre is projected onto the plane of its sheet, and is inside by the rule that holds for all
contours: an odd number of them around it. One such plane alone says nothing of its thickness and is not filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.model.grid import Grid

# As a share of the smallest voxel spacing: how flat a contour is, and how near two are in one plane.
_FLAT_VOXELS = 0.1
# A structure is drawn in one direction, or a few; contours in more are left out, and told.
_MOST_DIRECTIONS = 16
# No contour is so large; the squares of its coordinates are finite.
_MAX_MM = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Contours of one plane, and the slab that it stands for.

    Args:
        basis: (3, 3): two directions in the plane, and its normal.
        low_mm: Where the slab begins along the normal.
        high_mm: Where it ends.
        polygons: Points (N, 3) in RAS+ millimetres.
        grid: The grid whose voxels it is to fill.
    """

    basis: NDArray[np.float64]
    low_mm: float
    high_mm: float
    polygons: tuple[NDArray[np.float64], ...]
    grid: Grid


def sheets_of(polygons: Sequence[NDArray[np.float64]], grid: Grid) -> list[Sheet]:
    """The sheets that contours form; those that are not flat, or alone in their direction, are in none."""
    least_mm = _FLAT_VOXELS * min(grid.spacing_mm)
    out: list[Sheet] = []
    for basis, members in _directions(polygons, least_mm):
        places = [float((p @ basis[2]).mean()) for p in members]
        order = np.argsort(places, kind="stable")
        planes: list[list[int]] = []
        for n in order.tolist():
            if planes and places[n] - places[planes[-1][0]] <= least_mm:
                planes[-1].append(n)
            else:
                planes.append([n])
        if len(planes) < 2:
            continue
        at = np.array([places[plane[0]] for plane in planes])
        half = float(np.median(np.diff(at))) / 2
        middles = (at[:-1] + at[1:]) / 2
        low = np.maximum(at - half, np.concatenate(([-np.inf], middles)))
        high = np.minimum(at + half, np.concatenate((middles, [np.inf])))
        out += [
            Sheet(basis, float(low[n]), float(high[n]), tuple(members[m] for m in plane), grid)
            for n, plane in enumerate(planes)
        ]
    return out


def reaches(sheet: Sheet) -> bool:
    """Whether any voxel of the grid can be in a sheet."""
    box = _box(sheet)
    return bool((box[:, 1] > box[:, 0]).all())


def fill_sheets(sheets: Sequence[Sheet], out: NDArray[np.bool_]) -> None:
    """Set the voxels (K, J, I) whose centres lie in a sheet's slab and inside an odd number of its contours."""
    for sheet in sheets:
        affine = sheet.grid.affine
        in_plane = sheet.basis @ affine[:3, :3]
        # rows of voxels run along the axis that lies most nearly in the plane
        axis = int(np.argmax(np.hypot(in_plane[0], in_plane[1]) - abs(in_plane[2])))
        others = [a for a in (2, 1, 0) if a != axis]
        box = _box(sheet)
        _fill_sheet(
            out.transpose([2 - a for a in (*others, axis)]),
            sheet.basis @ affine[:3, 3],
            np.ascontiguousarray(in_plane[:, [*others, axis]].T),
            _edges(sheet),
            np.array((sheet.low_mm, sheet.high_mm)),
            box[[*others, axis]],
        )


def _directions(
    polygons: Sequence[NDArray[np.float64]], least_mm: float
) -> list[tuple[NDArray[np.float64], list[NDArray[np.float64]]]]:
    """Contours by the plane they are parallel to; the widest one of each direction decides it."""
    known: list[tuple[float, NDArray[np.float64], NDArray[np.float64]]] = []
    for polygon in polygons:
        if np.abs(polygon).max() > _MAX_MM:
            continue
        _, sizes, basis = np.linalg.svd(polygon - polygon.mean(axis=0), full_matrices=False)
        if sizes[1] > least_mm:
            known.append((float(sizes[1]), basis, polygon))
    out: list[tuple[NDArray[np.float64], list[NDArray[np.float64]]]] = []
    for _, basis, polygon in sorted(known, key=lambda item: -item[0]):
        for other, members in out:
            if np.ptp(polygon @ other[2]) <= 2 * least_mm:
                members.append(polygon)
                break
        else:
            if len(out) < _MOST_DIRECTIONS and np.ptp(polygon @ basis[2]) <= 2 * least_mm:
                turned = basis if basis[2][np.argmax(abs(basis[2]))] > 0 else -basis
                out.append((turned, [polygon]))
    return out


def _box(sheet: Sheet) -> NDArray[np.int64]:
    """First and one past the last index (i, j, k) of the voxels that a sheet can hold."""
    points = np.concatenate(sheet.polygons)
    at = points @ sheet.basis[2]
    both = [points + (edge - at)[:, None] * sheet.basis[2] for edge in (sheet.low_mm, sheet.high_mm)]
    voxels = sheet.grid.to_voxel(np.concatenate(both))
    limit = np.array(sheet.grid.shape[::-1], dtype=np.float64)
    low = np.clip(np.floor(voxels.min(axis=0)), 0, limit)
    high = np.clip(np.ceil(voxels.max(axis=0)) + 1, low, limit)
    return np.stack((low, high), axis=1).astype(np.int64)


def _edges(sheet: Sheet) -> NDArray[np.float64]:
    """Edges (N, 4) of all contours in the plane's own coordinates."""
    out = []
    for polygon in sheet.polygons:
        flat = polygon @ sheet.basis[:2].T
        out.append(np.concatenate((flat, np.roll(flat, -1, axis=0)), axis=1))
    return np.ascontiguousarray(np.concatenate(out))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_sheet(
    out: NDArray[np.bool_],
    origin: NDArray[np.float64],
    steps: NDArray[np.float64],
    edges: NDArray[np.float64],
    slab: NDArray[np.float64],
    box: NDArray[np.int64],
) -> None:
    """Row by row: which voxels lie in the slab, and how many edges each has behind it."""
    du, dv, dn = steps[2]
    square = du * du + dv * dv
    marks = np.zeros(out.shape[2] + 1, dtype=np.bool_)
    for c in range(box[0, 0], box[0, 1]):
        for b in range(box[1, 0], box[1, 1]):
            u, v, n = origin + c * steps[0] + b * steps[1]
            first, last = _within(n, dn, slab[0], slab[1], box[2, 0], box[2, 1])
            if first >= last:
                continue
            marks[first : last + 1] = False
            for u0, v0, u1, v1 in edges:
                before = du * (v0 - v) - dv * (u0 - u)
                after = du * (v1 - v) - dv * (u1 - u)
                if (before >= 0) == (after >= 0):
                    continue
                share = before / (before - after)
                along = ((u0 + share * (u1 - u0) - u) * du + (v0 + share * (v1 - v0) - v) * dv) / square
                place = int(min(max(np.ceil(along), first), last))
                marks[place] = not marks[place]
            is_inside = False
            for a in range(first, last):
                is_inside ^= marks[a]
                out[c, b, a] |= is_inside


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _within(start: float, step: float, low: float, high: float, first: int, last: int) -> tuple[int, int]:
    """Places of a row from `first` to before `last` that lie at `low` or above and below `high`."""
    if abs(step) < 1e-9:
        return (first, last) if low <= start < high else (first, first)
    a, b = (low - start) / step, (high - start) / step
    if step > 0:
        begin, end = np.ceil(a), np.ceil(b)
    else:
        begin, end = np.floor(b) + 1, np.floor(a) + 1
    return int(min(max(begin, first), last)), int(min(max(end, first), last))
