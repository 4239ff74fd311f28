"""Components: the connected pieces of labels, and what becomes of each on another grid.

A piece is made of voxels of one label that touch at a face, an edge or a corner (26 neighbours), if it is not said that
faces alone (6), or faces and edges (18), count. Rows are
kept as runs of one label, so that a label map of any number of labels is gone through once, and no volume of
numbers of pieces is made.

Of the eight source voxels that vote for a target voxel, those of one label touch each other. Every marked
voxel of the target therefore comes from exactly one piece of the source: what vanished, what ran together and
what fell apart is counted, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.model.grid import Grid

Indices = NDArray[np.int64]

# By connectivity: voxels by which runs of rows that share a face may miss each other and still touch, and the same of
# rows that share no more than an edge, -1 where those never touch.
_REACH = {6: (0, -1), 18: (1, 0), 26: (1, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The pieces of a label map, in the order of their first voxels.

    Args:
        shape: (K, J, I) of the map.
        rows: Of each row (k, j) the first of its runs, (K * J + 1,).
        runs: First voxel, the one after the last, and piece of each run, (R, 3).
        labels: Label of each piece, (P,).
        voxels: Size of each piece, (P,).
    """

    shape: tuple[int, int, int]
    rows: Indices
    runs: Indices
    labels: Indices
    voxels: Indices

    def __len__(self) -> int:
        return len(self.labels)

    def count(self, label: int = 1) -> int:
        """How many pieces a label has."""
        return int(np.count_nonzero(self.labels == label))


@dataclass(frozen=True, slots=True, eq=False)
class Fates:
    """What became of pieces on another grid.

    Args:
        kept: Target voxels that come from each piece of the source, (P,).
        parts: In how many pieces of the target each piece of the source lives on, (P,): 0 of one that
            vanished, more than 1 of one that fell apart.
        parents: Of how many pieces of the source each piece of the target is made, (Q,): more than 1 of pieces
            that ran together.
    """

    kept: Indices
    parts: Indices
    parents: Indices


def components_of(labels: NDArray[Any], connectivity: int = 26) -> Components:
    """The pieces of every label but background of a map (K, J, I), bool or unsigned integers.

    Args:
        labels: The map.
        connectivity: How many neighbours a voxel has: 6, 18 or 26.
    """
    if connectivity not in _REACH:
        raise ValueError(f"connectivity is one of {', '.join(map(str, _REACH))}, not {connectivity}")
    array = np.ascontiguousarray(labels.view(np.uint8) if labels.dtype == np.bool_ else labels)
    k, j, i = array.shape
    rows = np.zeros(k * j + 1, dtype=np.int64)
    _count_runs(array.reshape(k * j, i), rows[1:])
    np.cumsum(rows, out=rows)
    runs = np.empty((int(rows[-1]), 3), dtype=np.int64)
    values = np.empty(len(runs), dtype=np.int64)
    _find_runs(array.reshape(k * j, i), rows, runs, values)
    roots = np.arange(len(runs), dtype=np.int64)
    _join_rows(k, j, rows, runs, values, roots, *_REACH[connectivity])
    voxels = np.zeros(len(runs), dtype=np.int64)
    count = _number(roots, runs, values, voxels)
    return Components((k, j, i), rows, runs, values[:count], voxels[:count])


def fates_of(before: Components, grid: Grid, after: Components, target: Grid) -> Fates:
    """What became of the pieces of a map on one grid when it was resampled to another, by vote or nearest."""
    matrix = np.linalg.inv(grid.affine) @ target.affine
    kept = np.zeros(len(before), dtype=np.int64)
    came = np.empty((0, 2), dtype=np.int64)
    if len(before) and len(after):
        was = (np.array(before.shape), before.rows, before.runs, before.labels)
        came = _trace(*was, after.shape[1], after.rows, after.runs, after.labels, matrix, kept)
    pairs = np.unique(came, axis=0)
    return Fates(
        kept=kept,
        parts=np.bincount(pairs[:, 0], minlength=len(before)),
        parents=np.bincount(pairs[:, 1], minlength=len(after)),
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_runs(array: NDArray[Any], counts: Indices) -> None:
    """Runs of one label in each row of an array (N, I)."""
    for n in range(array.shape[0]):
        row = array[n]
        seen = row[0]
        for i in range(row.size):
            seen |= row[i]
        if seen == 0:
            continue
        before, here = row[:-1], row[1:]
        count = np.int64(row[0] != 0)
        for i in range(here.size):
            count += np.int64((here[i] != before[i]) & (here[i] != 0))
        counts[n] = count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _find_runs(array: NDArray[Any], rows: Indices, runs: Indices, values: Indices) -> None:
    """Where the runs of each row begin and end, and their labels."""
    for n in range(array.shape[0]):
        row, at = array[n], rows[n]
        i = 0
        while at < rows[n + 1]:
            while row[i] == 0:
                i += 1
            label = row[i]
            runs[at, 0], values[at] = i, label
            while i < row.size and row[i] == label:
                i += 1
            runs[at, 1] = i
            at += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join_rows(
    size_k: int,
    size_j: int,
    rows: Indices,
    runs: Indices,
    values: Indices,
    roots: Indices,
    beside: int,
    askew: int,
) -> None:
    """Join runs of one label that touch in neighbouring rows; a root is the first run of its piece."""
    for k in range(size_k):
        for j in range(size_j):
            row = k * size_j + j
            if rows[row] == rows[row + 1]:
                continue
            for step_k, step_j in ((0, -1), (-1, -1), (-1, 0), (-1, 1)):
                reach = askew if step_k != 0 and step_j != 0 else beside
                if reach < 0 or k + step_k < 0 or not 0 <= j + step_j < size_j:
                    continue
                _join_two(row, row + step_k * size_j + step_j, rows, runs, values, roots, reach)
    for n in range(roots.size):
        roots[n] = _root(roots, n)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join_two(
    row: int, other: int, rows: Indices, runs: Indices, values: Indices, roots: Indices, reach: int
) -> None:
    a, b = rows[row], rows[other]
    while a < rows[row + 1] and b < rows[other + 1]:
        _join(a, b, runs, values, roots, reach)
        if runs[a, 1] < runs[b, 1]:
            a += 1
        elif runs[a, 1] > runs[b, 1]:
            b += 1
        else:  # what follows either of the two touches the other at a corner
            if a + 1 < rows[row + 1]:
                _join(a + 1, b, runs, values, roots, reach)
            if b + 1 < rows[other + 1]:
                _join(a, b + 1, runs, values, roots, reach)
            a += 1
            b += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join(a: int, b: int, runs: Indices, values: Indices, roots: Indices, reach: int) -> None:
    if values[a] == values[b] and runs[a, 0] < runs[b, 1] + reach and runs[b, 0] < runs[a, 1] + reach:
        one, other = _root(roots, a), _root(roots, b)
        roots[max(one, other)] = min(one, other)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _root(roots: Indices, n: int) -> int:
    while roots[n] != n:
        roots[n] = roots[roots[n]]
        n = roots[n]
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _number(roots: Indices, runs: Indices, values: Indices, voxels: Indices) -> int:
    """Number the pieces; values become those of pieces, and how many there are is returned."""
    count = 0
    for n in range(roots.size):
        if roots[n] == n:
            runs[n, 2], values[count] = count, values[n]
            count += 1
        else:
            runs[n, 2] = runs[roots[n], 2]
        voxels[runs[n, 2]] += runs[n, 1] - runs[n, 0]
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trace(
    shape: Indices,
    rows: Indices,
    runs: Indices,
    labels: Indices,
    size_j: int,
    new_rows: Indices,
    new_runs: Indices,
    new_labels: Indices,
    matrix: NDArray[np.float64],
    kept: Indices,
) -> Indices:
    """Pairs (piece of the source, piece of the target) that share voxels; some occur more than once."""
    pairs, count = np.empty((64, 2), np.int64), 0
    latest = np.full(new_labels.size, -1, np.int64)
    for row in range(new_rows.size - 1):
        k, j = row // size_j, row % size_j
        for run in range(new_rows[row], new_rows[row + 1]):
            piece, hint = new_runs[run, 2], np.int64(-1)
            i, stop = new_runs[run, 0], new_runs[run, 1]
            while i < stop:
                x = matrix[0, 0] * i + (matrix[0, 1] * j + matrix[0, 2] * k + matrix[0, 3])
                y = matrix[1, 0] * i + (matrix[1, 1] * j + matrix[1, 2] * k + matrix[1, 3])
                z = matrix[2, 0] * i + (matrix[2, 1] * j + matrix[2, 2] * k + matrix[2, 3])
                hint = _voter(shape, rows, runs, labels, z, y, x, new_labels[piece], hint)
                if hint < 0:
                    i += 1
                    continue
                source = runs[hint, 2]
                steps = min(_steps(x, matrix, runs[hint, 0], runs[hint, 1]), stop - i)
                kept[source] += steps
                i += steps
                if latest[piece] != source:
                    latest[piece] = source
                    if count == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    pairs[count, 0], pairs[count, 1] = source, piece
                    count += 1
    return pairs[:count]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _steps(x: float, matrix: NDArray[np.float64], first: int, stop: int) -> int:
    """How many target voxels in a row have a source run among those around them; at least one."""
    step = matrix[0, 0]
    if matrix[1, 0] != 0.0 or matrix[2, 0] != 0.0 or step == 0.0:
        return 1
    room = stop - x if step > 0 else x - (first - 1)
    return max(int(np.ceil(room / abs(step) - 1e-6)), 1)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _voter(
    shape: Indices,
    rows: Indices,
    runs: Indices,
    labels: Indices,
    z: float,
    y: float,
    x: float,
    label: int,
    hint: int,
) -> Any:
    """A run of a label among the eight source voxels around a position, the nearest first; -1 if none."""
    low_k, low_j, low_i = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    near = (4 if z - low_k >= 0.5 else 0) | (2 if y - low_j >= 0.5 else 0) | (1 if x - low_i >= 0.5 else 0)
    for n in range(8):
        corner = near ^ n
        k = min(max(low_k + (corner >> 2), 0), shape[0] - 1)
        j = min(max(low_j + (corner >> 1 & 1), 0), shape[1] - 1)
        i = min(max(low_i + (corner & 1), 0), shape[2] - 1)
        row = k * shape[1] + j
        if rows[row] <= hint < rows[row + 1] and runs[hint, 0] <= i < runs[hint, 1]:
            return hint
        first, stop = rows[row], rows[row + 1]
        while first < stop:  # the first run that ends past the voxel
            middle = (first + stop) // 2
            if runs[middle, 1] > i:
                stop = middle
            else:
                first = middle + 1
        if first < rows[row + 1] and runs[first, 0] <= i and labels[runs[first, 2]] == label:
            return first
    return -1
