"""Contours: closed planar polygons, placed on a grid and filled at voxel centres.

Points are (N, 3) in RAS+ millimetres. Everything here works on a canonical grid, so that a voxel centre
that lies exactly on a line is decided by where it is in the patient, not by how the image was stored: it
is inside on the left and posterior border (for coronal and sagittal polygons: on the border of lower
millimetres) and outside on the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.occupancy import cover_plane
from isocenter.imaging.sheets import Sheet, fill_sheets, reaches, sheets_of
from isocenter.model.grid import Grid

# Text in DICOM holds up to 16 characters (PS3.5 6.2), so a vertex on a voxel centre comes out with noise.
SNAP_DECIMALS = 6
SAME_PLANE_VOXELS = 0.1
# Half of a voxel's area, added up in 32-bit numbers.
HALF = 0.5 - 1e-4


# Polygons by their reach: the one there is, or the edges of all that there are.
Seen = dict[bytes, NDArray[np.float64] | set[bytes]]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """One polygon on one plane of voxels: array axis, index on it, and points (N, 2) in fast, slow order."""

    axis: int
    index: int
    position: float
    points: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where the contours of a structure are: in planes of voxels, in sheets of their own, or nowhere, by reason."""

    placed: list[Placed]
    sheets: list[Sheet]
    counts: dict[str, int]


def place(polygons: Sequence[NDArray[np.float64]], grid: Grid) -> Placement:
    """Find the plane of voxels, or the sheet, of every polygon; those that have none are counted by reason."""
    counts = dict.fromkeys(
        ("too_few_points", "not_finite", "duplicates", "off_plane", "between_slices", "outside"), 0
    )
    seen: Seen = {}
    placed: list[Placed] = []
    tilted: list[NDArray[np.float64]] = []
    for polygon in polygons:
        reason, one = _place_one(polygon, grid, seen)
        if one is not None:
            placed.append(one)
        elif reason == "off_plane":
            tilted.append(np.asarray(polygon, dtype=np.float64).reshape(-1, 3))
        else:
            counts[reason] += 1
    kept = _nearest_planes(placed)
    sheets = sheets_of(tilted, grid) if tilted else []
    near = [sheet for sheet in sheets if reaches(sheet)]
    counts["between_slices"] = len(placed) - len(kept)
    counts["off_plane"] = len(tilted) - polygons_in(sheets)
    counts["outside"] += polygons_in(sheets) - polygons_in(near)
    return Placement(kept, near, counts)


def polygons_in(sheets: Sequence[Sheet]) -> int:
    """How many polygons there are."""
    return sum(len(sheet.polygons) for sheet in sheets)


def fill(placement: Placement, out: NDArray[np.bool_], *, by_area: bool = False) -> None:
    """Set the voxels (K, J, I) inside an odd number of the polygons of their plane (DICOM PS3.3 C.8.8.6.3).

    A voxel is inside if its centre is, or, by area, if half of it or more is; in sheets always by its centre.
    """
    for plane, window, members in _planes(placement, out):
        rows, columns = window
        if by_area:
            moved = [points - (columns.start, rows.start) for points in members]
            plane[window] |= cover_plane(moved, plane[window].shape) >= HALF
        else:
            plane[window] |= fill_plane(members, plane[window].shape, (rows.start, columns.start))
    fill_sheets(placement.sheets, out)


def cover(placement: Placement, out: NDArray[np.float32]) -> None:
    """Set the share (K, J, I) of each voxel's area in its plane that is inside; of sheets, whether its centre is."""
    for plane, window, members in _planes(placement, out):
        moved = [points - (window[1].start, window[0].start) for points in members]
        np.maximum(plane[window], cover_plane(moved, plane[window].shape), out=plane[window])
    if placement.sheets:
        inside = np.zeros(out.shape, dtype=np.bool_)
        fill_sheets(placement.sheets, inside)
        out[inside] = 1


def _planes(
    placement: Placement, out: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], tuple[slice, slice], list[NDArray[np.float64]]]]:
    """Each plane of voxels with contours, the part of it that they reach, and their points."""
    for (axis, index), group in itertools.groupby(placement.placed, key=lambda p: (p.axis, p.index)):
        plane = np.moveaxis(out, axis, 0)[index]
        members = [one.points for one in group]
        yield plane, window_of(members, plane.shape), members


def fill_plane(
    polygons: Sequence[NDArray[np.float64]], shape: tuple[int, ...], start: tuple[int, int] = (0, 0)
) -> NDArray[np.bool_]:
    """Pixels (slow, fast) inside an odd number of polygons, each of points (N, 2) in fast, slow order.

    `start` is the pixel (slow, fast) of the plane that is the first of the result. Points are not moved by it: what
    they decide must not hang on the rounding of a difference.
    """
    marks = np.zeros((shape[0], shape[1] + 1), dtype=np.bool_)
    for points in polygons:
        _toggle(points, marks, *start)
    _sweep(marks)
    return marks[:, :-1]


def _place_one(polygon: NDArray[np.float64], grid: Grid, seen: Seen) -> tuple[str, Placed | None]:
    points = np.asarray(polygon, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(points).all():
        return "not_finite", None
    others = points[(points != points[:1]).any(axis=1)]
    if not (others != others[:1]).any():
        return "too_few_points", None
    if _is_known(points, seen):
        return "duplicates", None
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


def _is_known(points: NDArray[np.float64], seen: Seen) -> bool:
    """Whether the same polygon was there before; it is looked at closely only where one has the same reach."""
    reach = np.round(np.concatenate((points.min(axis=0), points.max(axis=0))), 3) + 0.0
    known = seen.setdefault(reach.tobytes(), points)
    if known is points:
        return False
    if not isinstance(known, set):
        known = seen[reach.tobytes()] = {_edges(known)}
    edges = _edges(points)
    is_known = edges in known
    known.add(edges)
    return is_known


def _edges(points: NDArray[np.float64]) -> bytes:
    """The polygon as its sorted edges: the same whatever point it begins at and whichever way it runs."""
    rounded = np.round(points, 3) + 0.0  # no negative zero
    ends = np.concatenate((rounded, np.roll(rounded, -1, axis=0)), axis=1)
    ends = ends[(ends[:, :3] != ends[:, 3:]).any(axis=1)]
    (x0, y0, z0), (x1, y1, z1) = ends[:, :3].T, ends[:, 3:].T
    swapped = (x0 > x1) | ((x0 == x1) & ((y0 > y1) | ((y0 == y1) & (z0 > z1))))
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


def window_of(polygons: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of a plane that polygons reach."""
    points = np.concatenate(polygons)
    limit = np.array(shape[::-1], dtype=np.float64)
    low = np.clip(np.floor(points.min(axis=0) + 0.5), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + 0.5), low + 1, limit).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _toggle(points: NDArray[np.float64], marks: NDArray[np.bool_], row: int, column: int) -> None:
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
        first = max(row, int(np.ceil(y0)))
        beyond = min(row + rows, int(np.ceil(y1)))
        for y in range(first, beyond):
            x = np.ceil(x0 + (y - y0) * (x1 - x0) / (y1 - y0)) - column
            place = int(min(max(x, 0.0), float(columns)))
            marks[y - row, place] = not marks[y - row, place]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sweep(marks: NDArray[np.bool_]) -> None:
    """Turn marks into insides: each row switches at every mark."""
    for y in range(marks.shape[0]):
        is_inside = False
        for x in range(marks.shape[1]):
            is_inside ^= marks[y, x]
            marks[y, x] = is_inside
