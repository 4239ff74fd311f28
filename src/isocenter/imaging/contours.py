"""Contours: closed planar polygons, placed on a grid and filled at voxel centres.

Points are (N, 3) in RAS+ millimetres. Everything here works on a canonical grid, so that a voxel centre
that lies exactly on a line is decided by where it is in the patient, not by how the image was stored: it
is inside on the left and posterior border (for coronal and sagittal polygons: on the border of lower
millimetres) and outside on the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.model.grid import Grid

# Text in DICOM holds up to 16 characters (PS3.5 6.2), so a vertex on a voxel centre comes out with noise.
SNAP_DECIMALS = 6
SAME_PLANE_VOXELS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContourReport:
    """What became of the contours of one structure on one grid.

    Args:
        contours: How many there are.
        filled: How many were filled in.
        too_few_points: Fewer than three different points.
        not_finite: A coordinate is no number.
        duplicates: The same polygon again, from whatever point and in whatever direction.
        off_plane: A point lies more than half a slice from the contour's slice (tilted, oblique).
        between_slices: Another contour plane is nearer to the same slice.
        outside: Wholly outside the image.
        partly_outside: Filled in, but cut off at the border of the image.
        without_voxels: Filled in, but no voxel centre lies inside.
        overlapping: Pairs in one plane that cross each other; the part in common is outside.
        gaps: Slices without contours between slices with contours; nothing is interpolated.
    """

    contours: int
    filled: int
    too_few_points: int = 0
    not_finite: int = 0
    duplicates: int = 0
    off_plane: int = 0
    between_slices: int = 0
    outside: int = 0
    partly_outside: int = 0
    without_voxels: int = 0
    overlapping: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One polygon on one plane of voxels: array axis, index on it, and points (N, 2) in fast, slow order."""

    axis: int
    index: int
    position: float
    points: NDArray[np.float64]


def place(polygons: Sequence[NDArray[np.float64]], grid: Grid) -> tuple[list[Placed], dict[str, int]]:
    """Find the plane of voxels of every polygon; those that have none are counted by reason."""
    counts = dict.fromkeys(
        ("too_few_points", "not_finite", "duplicates", "off_plane", "between_slices", "outside"), 0
    )
    seen: set[bytes] = set()
    placed: list[Placed] = []
    for polygon in polygons:
        reason, one = _place_one(polygon, grid, seen)
        if one is None:
            counts[reason] += 1
        else:
            placed.append(one)
    kept = _nearest_planes(placed)
    counts["between_slices"] = len(placed) - len(kept)
    return kept, counts


def fill(placed: Sequence[Placed], grid: Grid) -> NDArray[np.bool_]:
    """Voxels (K, J, I) inside an odd number of the polygons of their plane (DICOM PS3.3 C.8.8.6.3)."""
    out = np.zeros(grid.shape, dtype=np.bool_)
    for (axis, index), group in itertools.groupby(placed, key=lambda p: (p.axis, p.index)):
        plane = np.moveaxis(out, axis, 0)[index]
        plane |= fill_plane([one.points for one in group], plane.shape)
    return out


def fill_plane(polygons: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels (slow, fast) inside an odd number of polygons, each of points (N, 2) in fast, slow order."""
    marks = np.zeros((shape[0], shape[1] + 1), dtype=np.bool_)
    for points in polygons:
        _toggle(points, marks)
    _sweep(marks)
    return marks[:, :-1]


def report(placed: Sequence[Placed], counts: dict[str, int], grid: Grid, *, is_xor: bool) -> ContourReport:
    """Count what was filled in, cut off, empty, crossing, and left out between slices."""
    overlapping = empty = cut = 0
    for (axis, _), group in itertools.groupby(placed, key=lambda p: (p.axis, p.index)):
        shape = (*grid.shape[:axis], *grid.shape[axis + 1 :])
        members = list(group)
        pixels = [fill_plane([one.points], shape) for one in members]
        sizes = [int(np.count_nonzero(p)) for p in pixels]
        empty += sizes.count(0)
        cut += sum(_is_cut(one.points, shape) for one in members)
        if is_xor:
            continue  # overlaps are meant: DICOM PS3.3 C.8.8.6.3
        for a, b in itertools.combinations(range(len(members)), 2):
            common = int(np.count_nonzero(pixels[a] & pixels[b]))
            overlapping += 0 < common < min(sizes[a], sizes[b])
    return ContourReport(
        contours=len(placed) + sum(counts.values()),
        filled=len(placed),
        partly_outside=cut,
        without_voxels=empty,
        overlapping=overlapping,
        gaps=_gaps(placed),
        **counts,
    )


def _place_one(polygon: NDArray[np.float64], grid: Grid, seen: set[bytes]) -> tuple[str, Placed | None]:
    points = np.asarray(polygon, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(points).all():
        return "not_finite", None
    if len(np.unique(points, axis=0)) < 3:
        return "too_few_points", None
    key = _edges(points)
    if key in seen:
        return "duplicates", None
    seen.add(key)
    voxels = np.round(grid.to_voxel(points), SNAP_DECIMALS)
    spread = np.ptp(voxels, axis=0)
    column = 2 - int(np.argmin(spread[::-1]))  # of equals the slice axis comes first
    position = float(voxels[:, column].min() + voxels[:, column].max()) / 2
    index = int(np.floor(position + 0.5))
    if np.abs(voxels[:, column] - index).max() > 0.5:
        return "off_plane", None
    axis = 2 - column
    shape = (*grid.shape[:axis], *grid.shape[axis + 1 :])
    flat = np.ascontiguousarray(np.delete(voxels, column, axis=1))
    low, high = flat.min(axis=0), flat.max(axis=0)
    is_beside = bool((high < -0.5).any() or (low > np.array(shape[::-1]) - 0.5).any())
    if is_beside or not 0 <= index < grid.shape[axis]:
        return "outside", None
    return "", Placed(axis, index, position, flat)


def _edges(points: NDArray[np.float64]) -> bytes:
    """The polygon as its sorted edges: the same whatever point it begins at and whichever way it runs."""
    rounded = np.round(points, 3) + 0.0  # no negative zero
    ends = np.concatenate((rounded, np.roll(rounded, -1, axis=0)), axis=1)
    ends = ends[(ends[:, :3] != ends[:, 3:]).any(axis=1)]
    swapped = np.array([tuple(e[:3]) > tuple(e[3:]) for e in ends], dtype=np.bool_)
    ends[swapped] = ends[swapped][:, [3, 4, 5, 0, 1, 2]]
    return bytes(ends[np.lexsort(ends.T[::-1])].tobytes())


def _nearest_planes(placed: Sequence[Placed]) -> list[Placed]:
    """Of several contour planes that fall into one slice only the nearest is that slice's."""
    kept: list[Placed] = []
    ordered = sorted(placed, key=lambda p: (p.axis, p.index))
    for (_, index), group in itertools.groupby(ordered, key=lambda p: (p.axis, p.index)):
        members = list(group)
        nearest = min(members, key=lambda p: (abs(p.position - index), p.position)).position
        kept += [p for p in members if abs(p.position - nearest) <= SAME_PLANE_VOXELS]
    return kept


def _is_cut(points: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    return bool((points < -0.5).any() or (points > np.array(shape[::-1]) - 0.5).any())


def _gaps(placed: Sequence[Placed]) -> int:
    missing = 0
    for axis in {p.axis for p in placed}:
        used = {p.index for p in placed if p.axis == axis}
        missing += max(used) - min(used) + 1 - len(used)
    return missing


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _toggle(points: NDArray[np.float64], marks: NDArray[np.bool_]) -> None:
    """Mark, in each row that an edge crosses, the first pixel at or beyond the crossing."""
    rows, columns = marks.shape[0], marks.shape[1] - 1
    count = points.shape[0]
    for a in range(count):
        b = a + 1 if a + 1 < count else 0
        x0, y0, x1, y1 = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        if y0 == y1:
            continue
        if y0 > y1:  # one direction for both owners of a shared edge, so that both get the same crossing
            x0, y0, x1, y1 = x1, y1, x0, y0
        first = max(0, int(np.ceil(y0)))
        beyond = min(rows, int(np.ceil(y1)))
        for y in range(first, beyond):
            x = np.ceil(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
            column = int(min(max(x, 0.0), float(columns)))
            marks[y, column] = not marks[y, column]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sweep(marks: NDArray[np.bool_]) -> None:
    """Turn marks into insides: each row switches at every mark."""
    for y in range(marks.shape[0]):
        is_inside = False
        for x in range(marks.shape[1]):
            is_inside ^= marks[y, x]
            marks[y, x] = is_inside
