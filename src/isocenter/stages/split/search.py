"""Search: moves and swaps of single units until none brings the sums nearer to their targets (compiled).

Cells come as they are in `Problem.sparse`: where their features begin, which these are, and their counts.
"""

from __future__ import annotations

import numba
import numpy as np

from isocenter.stages.split.cells import STEEP, Floats, Ints, Problem

_EPS = 1e-9
_STEEP = STEEP
# Cells tried on each side of a swap, fewer where there are many pairs of parts.
_CANDIDATES = 160
_FEW_CANDIDATES = 48
_MANY_PARTS = 5


def start(problem: Problem, order: Ints) -> tuple[Ints, Floats]:
    """Counts (n, p) and their totals: each cell in proportion, what is left over where it fits best, in this order."""
    need = np.maximum(np.minimum(problem.target[:, 0], problem.most) - problem.base[:, 0], 0)
    share = need / need.sum() if need.sum() else np.full(len(need), 1 / len(need))
    counts = np.floor(np.outer(problem.supply, share)).astype(np.int64)
    totals = problem.totals(counts)
    _place(*problem.sparse, problem.supply - counts.sum(axis=1), order, counts, totals, *_aims(problem))
    return counts, totals


def polish(problem: Problem, counts: Ints, totals: Floats, order: Ints) -> None:
    """Move and swap, in place, until nothing helps."""
    candidates = _CANDIDATES if counts.shape[1] < _MANY_PARTS else _FEW_CANDIDATES
    _polish(*problem.sparse, order, counts, totals, *_aims(problem), candidates)


def kick(problem: Problem, counts: Ints, totals: Floats, cells: Ints, parts: Ints) -> None:
    """Move one unit of each of some cells to a part, wherever it is taken from, unless that is full."""
    _kick(*problem.sparse, cells, parts, counts, totals, problem.most)


def _aims(problem: Problem) -> tuple[Floats, Floats, Floats, Floats]:
    return problem.target, problem.weight, problem.floor, problem.most


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _change(total: float, step: float, target: float, weight: float, floor: float) -> float:
    """How much the cost of one sum changes when it grows by `step`."""
    out = weight * step * (2.0 * (total - target) + step)
    before, after = floor - total, floor - total - step
    if before > 0:
        out -= _STEEP * before * before
    if after > 0:
        out += _STEEP * after * after
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _shift(
    starts: Ints,
    columns: Ints,
    values: Floats,
    cell: int,
    sign: float,
    part: int,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
) -> float:
    """How much the cost of a part changes when it gains (sign 1) or loses (-1) one unit of a cell."""
    out = 0.0
    for k in range(starts[cell], starts[cell + 1]):
        f = columns[k]
        out += _change(totals[part, f], sign * values[k], target[part, f], weight[part, f], floor[part, f])
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(
    starts: Ints, columns: Ints, values: Floats, cell: int, sign: float, part: int, totals: Floats
) -> None:
    for k in range(starts[cell], starts[cell + 1]):
        totals[part, columns[k]] += sign * values[k]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _place(
    starts: Ints,
    columns: Ints,
    values: Floats,
    left: Ints,
    order: Ints,
    counts: Ints,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
    most: Floats,
) -> None:
    for cell in order:
        for _ in range(left[cell]):
            where, least = -1, np.inf
            for part in range(counts.shape[1]):
                if totals[part, 0] + values[starts[cell]] > most[part]:
                    continue
                gain = _shift(starts, columns, values, cell, 1.0, part, totals, target, weight, floor)
                if gain < least - _EPS:
                    where, least = part, gain
            where = max(where, 0)  # a part without a limit is never full; all full cannot be
            counts[cell, where] += 1
            _add(starts, columns, values, cell, 1.0, where, totals)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _kick(
    starts: Ints,
    columns: Ints,
    values: Floats,
    cells: Ints,
    parts: Ints,
    counts: Ints,
    totals: Floats,
    most: Floats,
) -> None:
    for n in range(len(cells)):
        cell, to = cells[n], parts[n]
        if totals[to, 0] + values[starts[cell]] > most[to]:
            continue
        for step in range(1, counts.shape[1]):
            source = (to + step) % counts.shape[1]
            if counts[cell, source]:
                counts[cell, source] -= 1
                counts[cell, to] += 1
                _add(starts, columns, values, cell, -1.0, source, totals)
                _add(starts, columns, values, cell, 1.0, to, totals)
                break


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _polish(
    starts: Ints,
    columns: Ints,
    values: Floats,
    order: Ints,
    counts: Ints,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
    most: Floats,
    candidates: int,
) -> None:
    is_better = True
    while is_better:
        while _moves(starts, columns, values, order, counts, totals, target, weight, floor, most):
            pass
        is_better = False
        for a in range(counts.shape[1]):
            for b in range(a + 1, counts.shape[1]):
                while _swap(
                    starts, columns, values, a, b, counts, totals, target, weight, floor, most, candidates
                ):
                    is_better = True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _moves(
    starts: Ints,
    columns: Ints,
    values: Floats,
    order: Ints,
    counts: Ints,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
    most: Floats,
) -> bool:
    """One round of the best move of every cell that has one; whether any was made."""
    is_moved = False
    for cell in order:
        for source in range(counts.shape[1]):
            if not counts[cell, source]:
                continue
            away = _shift(starts, columns, values, cell, -1.0, source, totals, target, weight, floor)
            where, least = -1, -_EPS
            for to in range(counts.shape[1]):
                if to == source or totals[to, 0] + values[starts[cell]] > most[to]:
                    continue
                change = away + _shift(starts, columns, values, cell, 1.0, to, totals, target, weight, floor)
                if change < least:
                    where, least = to, change
            if where >= 0:
                counts[cell, source] -= 1
                counts[cell, where] += 1
                _add(starts, columns, values, cell, -1.0, source, totals)
                _add(starts, columns, values, cell, 1.0, where, totals)
                is_moved = True
    return is_moved


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _likely(
    starts: Ints,
    columns: Ints,
    values: Floats,
    source: int,
    to: int,
    counts: Ints,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
    candidates: int,
) -> tuple[Ints, Floats]:
    """The cells of a part that it would cost the least to move elsewhere."""
    there = np.flatnonzero(counts[:, source])
    change = np.empty(len(there))
    for n in range(len(there)):
        cell = there[n]
        change[n] = _shift(
            starts, columns, values, cell, -1.0, source, totals, target, weight, floor
        ) + _shift(starts, columns, values, cell, 1.0, to, totals, target, weight, floor)
    best = np.argsort(np.round(change, 9), kind="mergesort")[:candidates]
    return there[best], change[best]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _both(
    starts: Ints,
    columns: Ints,
    values: Floats,
    cell: int,
    step: Floats,
    a: int,
    b: int,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
) -> float:
    """What a swap changes beyond its two moves: where both units have a feature, what one brings the other takes."""
    out = 0.0
    for k in range(starts[cell], starts[cell + 1]):
        f = columns[k]
        v, w = step[f], values[k]
        if v:
            for part, sign in ((a, -1.0), (b, 1.0)):
                t, goal, heavy, low = totals[part, f], target[part, f], weight[part, f], floor[part, f]
                out += (
                    _change(t, sign * (v - w), goal, heavy, low)
                    - _change(t, sign * v, goal, heavy, low)
                    - _change(t, -sign * w, goal, heavy, low)
                )
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _swap(
    starts: Ints,
    columns: Ints,
    values: Floats,
    a: int,
    b: int,
    counts: Ints,
    totals: Floats,
    target: Floats,
    weight: Floats,
    floor: Floats,
    most: Floats,
    candidates: int,
) -> bool:
    """Make the best swap of two units of likely cells; whether there was one that helps."""
    here, forth = _likely(starts, columns, values, a, b, counts, totals, target, weight, floor, candidates)
    there, home = _likely(starts, columns, values, b, a, counts, totals, target, weight, floor, candidates)
    step = np.zeros(totals.shape[1])
    least, first, second = -_EPS, -1, -1
    for n in range(len(here)):
        x = here[n]
        for k in range(starts[x], starts[x + 1]):
            step[columns[k]] = values[k]
        for m in range(len(there)):
            y = there[m]
            growth = values[starts[x]] - values[starts[y]]
            if totals[b, 0] + growth > most[b] or totals[a, 0] - growth > most[a] or x == y:
                continue
            change = forth[n] + home[m]
            change += _both(starts, columns, values, y, step, a, b, totals, target, weight, floor)
            if change < least:
                least, first, second = change, x, y
        for k in range(starts[x], starts[x + 1]):
            step[columns[k]] = 0.0
    if first < 0:
        return False
    for cell, source, to in ((first, a, b), (second, b, a)):
        counts[cell, source] -= 1
        counts[cell, to] += 1
        _add(starts, columns, values, cell, -1.0, source, totals)
        _add(starts, columns, values, cell, 1.0, to, totals)
    return True
