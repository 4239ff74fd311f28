"""What became of the contours of one structure on a grid: how many were filled, left out, cut, or cross."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.contours import Placed, Placement, fill_plane, polygons_in, window_of
from isocenter.model.grid import Grid

# Of more pairs of contours in one plane than these, the others are not compared.
MOST_PAIRS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContourReport:
    """What became of the contours of one structure on one grid.

    Args:
        contours: How many there are.
        filled: How many were filled in.
        too_few_points: Fewer than three different points.
        not_finite: A coordinate is no number.
        duplicates: The same polygon again, from whatever point and in whatever direction.
        off_plane: A point lies more than half a slice from the contour's slice, and no contours parallel to it
            tell what it stands for.
        oblique: Filled in, but in the planes they were drawn in, which are not the image's.
        between_slices: Another contour plane is nearer to the same slice.
        outside: Wholly outside the image.
        partly_outside: Filled in, but cut off at the border of the image.
        without_voxels: Filled in, but no voxel centre lies inside.
        overlapping: Pairs in one plane that cross each other; the part in common is outside.
        self_crossing: Contours that run around a part of themselves twice; that part is outside.
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
    self_crossing: int = 0
    oblique: int = 0
    gaps: int = 0


def report_of(placement: Placement, grid: Grid, *, is_xor: bool) -> ContourReport:
    """Count what was filled in, cut off, empty, crossing, and left out between slices."""
    overlapping = empty = cut = crossing = 0
    for (axis, _), group in itertools.groupby(placement.placed, key=lambda p: (p.axis, p.index)):
        shape = (*grid.shape[:axis], *grid.shape[axis + 1 :])
        drawn = [_drawn(one.points, shape) for one in group]
        empty += sum(not one.size for one in drawn)
        cut += sum(_is_cut(one.points, shape) for one in drawn)
        if not is_xor:  # overlaps are meant there: DICOM PS3.3 C.8.8.6.3
            crossing += sum(map(_is_wound_twice, drawn))
            overlapping += _overlapping(drawn)
    oblique = polygons_in(placement.sheets)
    filled = len(placement.placed) + oblique
    return ContourReport(
        contours=filled + sum(placement.counts.values()),
        filled=filled,
        partly_outside=cut,
        without_voxels=empty,
        overlapping=overlapping,
        self_crossing=crossing,
        oblique=oblique,
        gaps=_gaps(placement.placed),
        **placement.counts,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One polygon alone: its pixels in the window that it reaches, and how many they are."""

    points: NDArray[np.float64]
    window: tuple[slice, slice]
    pixels: NDArray[np.bool_]
    size: int


def _drawn(points: NDArray[np.float64], shape: tuple[int, ...]) -> _Drawn:
    rows, columns = window_of([points], shape)
    size = (rows.stop - rows.start, columns.stop - columns.start)
    pixels = fill_plane([points], size, (rows.start, columns.start))
    return _Drawn(points, (rows, columns), pixels, int(np.count_nonzero(pixels)))


def _is_wound_twice(drawn: _Drawn) -> bool:
    """Whether a polygon runs around a pixel's centre more than once, but not an odd number of times."""
    rows, columns = drawn.window
    turns = np.zeros((drawn.pixels.shape[0], drawn.pixels.shape[1] + 1), dtype=np.int16)
    _wind(drawn.points, turns, rows.start, columns.start)
    turns = np.cumsum(turns, axis=1, dtype=np.int16)
    return bool(((turns != 0) & (turns % 2 == 0)).any())


def _overlapping(drawn: Sequence[_Drawn]) -> int:
    """Pairs of which each has pixels that are not the other's, and some that are; of very many not all are looked at."""
    return sum(_do_overlap(a, b) for a, b in itertools.islice(_pairs(drawn), MOST_PAIRS))


def _pairs(drawn: Sequence[_Drawn]) -> Iterator[tuple[_Drawn, _Drawn]]:
    """Polygons that have rows in common."""
    ordered = sorted(drawn, key=lambda one: one.window[0].start)
    for n, a in enumerate(ordered):
        for b in itertools.islice(ordered, n + 1, None):
            if b.window[0].start >= a.window[0].stop:
                break
            yield a, b


def _do_overlap(a: _Drawn, b: _Drawn) -> bool:
    parts = []
    for one, other in ((a, b), (b, a)):
        inside = tuple(
            slice(max(o.start - w.start, 0), max(min(o.stop, w.stop) - w.start, 0))
            for w, o in zip(one.window, other.window, strict=True)
        )
        parts.append(one.pixels[inside])
    common = int(np.count_nonzero(parts[0] & parts[1])) if parts[0].size else 0
    return 0 < common < min(a.size, b.size)


def _is_cut(points: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    return bool((points < -0.5).any() or (points > np.array(shape[::-1]) - 0.5).any())


def _gaps(placed: Sequence[Placed]) -> int:
    missing = 0
    for axis in {p.axis for p in placed}:
        used = {p.index for p in placed if p.axis == axis}
        missing += max(used) - min(used) + 1 - len(used)
    return missing


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _wind(points: NDArray[np.float64], turns: NDArray[np.int16], row: int, column: int) -> None:
    """As `_toggle`, but counted: up by one for an edge that runs up, down by one for one that runs down."""
    rows, columns = turns.shape[0], turns.shape[1] - 1
    count = points.shape[0]
    for a in range(count):
        b = a + 1 if a + 1 < count else 0
        x0, y0, x1, y1 = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        if y0 == y1:
            continue
        way = 1
        if y0 > y1:
            x0, y0, x1, y1, way = x1, y1, x0, y0, -1
        for y in range(max(row, int(np.ceil(y0))), min(row + rows, int(np.ceil(y1)))):
            x = np.ceil(x0 + (y - y0) * (x1 - x0) / (y1 - y0)) - column
            turns[y - row, int(min(max(x, 0.0), float(columns)))] += way
