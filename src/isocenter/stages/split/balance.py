"""Balance: put units in partitions so that sizes, labels and strata come out as even as they can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np

from isocenter.base.seeds import stream
from isocenter.stages.split.cells import Floats, Ints, Problem, problem_of
from isocenter.stages.split.units import Unit, asked_for, by_lot

_STARTS = 3  # more found nothing better in cohorts of 30 to 1000 subjects
_CANDIDATES = 160  # cells tried on each side of a swap
_DIGITS = 9  # differences below this are ties, which the order of the cells decides


def balance(
    units: Sequence[Unit], fractions: Mapping[str, float], seed: int, *, most: Mapping[str, int] | None = None
) -> dict[str, str]:
    """Partition of every free unit, by its name; kept units count towards the balance.

    Units alike in size, labels and strata form a cell, and only how many of a cell go where is searched:
    a proportional start, then the best move or swap of two units until none helps (steepest descent on the
    chi-square distance from the fractions), from several starts, of which the best counts. Who of a cell
    goes where is drawn by lot.

    Args:
        units: Free and kept.
        fractions: Share of the subjects by partition.
        seed: Of the lots.
        most: Largest number of subjects a partition may have.
    """
    names = list(asked_for(fractions))
    free = by_lot([u for u in units if not u.partition], seed)
    if not free:
        return {}
    problem = problem_of(units, free, names, fractions, most or {})
    counts = min(
        (_search(problem, seed, start) for start in range(_STARTS)),
        key=lambda c: round(problem.loss(c), _DIGITS),
    )
    out: dict[str, str] = {}
    for members, row in zip(problem.members, counts, strict=True):
        edges = [0, *np.cumsum(row).tolist()]
        for name, (first, last) in zip(names, pairwise(edges), strict=True):
            out |= {free[m].name: name for m in members[first:last]}
    return out


def _search(problem: Problem, seed: int, start: int) -> Ints:
    counts = _start(problem, stream(seed, "split", "start", start))
    while step := _best_step(problem, counts):
        _apply(counts, *step)
    _keep_sizes(problem, counts)
    _fill_empty(problem, counts)
    return counts


def _start(problem: Problem, lots: np.random.Generator) -> Ints:
    """Each cell in proportion to what the partitions still need; what is left over goes where it fits best."""
    need = np.maximum(np.minimum(problem.target[:, 0], problem.most) - problem.base[:, 0], 0)
    share = need / need.sum() if need.sum() else np.full(len(need), 1 / len(need))
    counts = np.floor(np.outer(problem.supply, share)).astype(np.int64)
    totals = problem.totals(counts)
    left = np.repeat(np.arange(len(problem.supply)), problem.supply - counts.sum(axis=1))
    for cell in lots.permutation(left):
        value = problem.values[cell]
        gain = (problem.weight * value * (2 * (totals - problem.target) + value)).sum(axis=1)
        gain[totals[:, 0] + value[0] > problem.most] = np.inf
        where = int(np.argmin(np.round(gain, _DIGITS)))
        counts[cell, where] += 1
        totals[where] += value
    return counts


def _moves(problem: Problem, totals: Floats, source: int, to: int) -> Floats:
    """(n,): change of the loss when one unit of each cell moves."""
    away = problem.weight * (totals - problem.target)
    linear = 2 * (away[to] - away[source])
    square = problem.weight[to] + problem.weight[source]
    out: Floats = (problem.values * (linear + square * problem.values)).sum(axis=1)
    return out


def _best_step(problem: Problem, counts: Ints) -> tuple[int, int, int, int] | None:
    """(source, to, cell that moves, cell that comes back or -1) with the largest gain, or None."""
    totals = problem.totals(counts)
    best, found = -(10.0**-_DIGITS), None
    for source, to in permutations(range(len(totals)), 2):
        there = np.flatnonzero(counts[:, source])
        if not len(there):
            continue
        room = problem.most[to] - totals[to, 0]
        forth = _moves(problem, totals, source, to)[there]
        change = np.where(problem.values[there, 0] <= room, forth, np.inf)
        k = int(np.argmin(np.round(change, _DIGITS)))
        if change[k] < best:
            best, found = float(change[k]), (source, to, int(there[k]), -1)
        back = np.flatnonzero(counts[:, to])
        if source > to or not len(back):  # a swap is one both ways
            continue
        there, back, change = _swaps(problem, totals, (source, to), there, back)
        k = int(np.argmin(np.round(change, _DIGITS)))
        if change.flat[k] < best:
            row, col = divmod(k, len(back))
            best, found = float(change.flat[k]), (source, to, int(there[row]), int(back[col]))
    return found


def _swaps(
    problem: Problem, totals: Floats, pair: tuple[int, int], there: Ints, back: Ints
) -> tuple[Ints, Ints, Floats]:
    """The cells worth trying on both sides, and the change of the loss for every swap of two of them."""
    source, to = pair
    forth = _moves(problem, totals, source, to)
    home = _moves(problem, totals, to, source)
    there = there[np.argsort(np.round(forth[there], _DIGITS), kind="stable")[:_CANDIDATES]]
    back = back[np.argsort(np.round(home[back], _DIGITS), kind="stable")[:_CANDIDATES]]
    square = problem.weight[to] + problem.weight[source]
    cross = (problem.values[there] * square) @ problem.values[back].T
    change = forth[there][:, None] + home[back][None, :] - 2 * cross
    growth = problem.values[there, 0][:, None] - problem.values[back, 0][None, :]
    change[totals[to, 0] + growth > problem.most[to]] = np.inf
    change[totals[source, 0] - growth > problem.most[source]] = np.inf
    return there, back, change


def _apply(counts: Ints, source: int, to: int, cell: int, back: int) -> None:
    counts[cell, source] -= 1
    counts[cell, to] += 1
    if back >= 0:
        counts[back, to] -= 1
        counts[back, source] += 1


def _keep_sizes(problem: Problem, counts: Ints) -> None:
    """Labels never cost more than one largest group of size: two partitions differ by no more than that."""
    while True:
        totals = problem.totals(counts)
        away = totals[:, 0] - problem.target[:, 0]
        for source, to in sorted(permutations(range(len(away)), 2), key=lambda p: away[p[1]] - away[p[0]]):
            there = np.flatnonzero(counts[:, source])
            there = there[problem.values[there, 0] <= problem.most[to] - totals[to, 0]]
            if len(there) and away[source] - away[to] > problem.largest + 1e-9:
                change = _moves(problem, totals, source, to)[there]
                _apply(counts, source, to, int(there[np.argmin(np.round(change, _DIGITS))]), -1)
                break
        else:
            return


def _fill_empty(problem: Problem, counts: Ints) -> None:
    """A partition that was asked for gets a unit, where the sizes stay within one largest group."""
    for to in range(counts.shape[1]):
        totals = problem.totals(counts)
        if totals[to, 0]:
            continue
        away = totals[:, 0] - problem.target[:, 0]
        for source in np.argsort(-away, kind="stable"):
            size = problem.values[:, 0]
            fits = (counts[:, source] > 0) & (size < totals[source, 0]) & (size <= problem.most[to])
            fits &= (away[source] - size >= -problem.largest) & (away[to] + size <= problem.largest)
            there = np.flatnonzero(fits)
            if len(there):
                change = _moves(problem, totals, int(source), to)[there]
                _apply(counts, int(source), to, int(there[np.argmin(np.round(change, _DIGITS))]), -1)
                break
