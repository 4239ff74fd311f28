"""Balance: put units in partitions so that sizes, labels and strata come out as even as they can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from isocenter.base.seeds import stream
from isocenter.model.certificate import Optimum
from isocenter.stages.split import search
from isocenter.stages.split.bound import least_terms
from isocenter.stages.split.cells import STEEP, Floats, Ints, Problem, problem_of
from isocenter.stages.split.exact import improve, is_small
from isocenter.stages.split.units import Unit, asked_for, by_lot

_STARTS = 3
_KICKS = 24  # after each start, fewer for large cohorts, which leave little to gain
_FEW_KICKS = 4
_KICKED = 3
_WORK = 40_000  # cells that are searched again after kicks, all starts together
_DIGITS = 9  # differences below this are ties, which the order of the cells decides
_NEAR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """Partition of every free unit by its name, and how near that comes to the best; None where none was free."""

    chosen: dict[str, str]
    optimum: Optimum | None = None


def balance(
    units: Sequence[Unit],
    fractions: Mapping[str, float],
    seed: int,
    *,
    most: Mapping[str, int] | None = None,
    min_positive: int = 0,
) -> Balanced:
    """Partition of every free unit, by its name; kept units count towards the balance.

    Units alike in size, labels and strata form a cell, and only how many of a cell go where is searched: local
    search with restarts (see `isocenter.stages.split.search`), then, for small cohorts, branch and bound. Who of a
    cell goes where is drawn by lot.

    Args:
        units: Free and kept.
        fractions: Share of the subjects by partition.
        seed: Of the lots.
        most: Largest number of subjects a partition may have.
        min_positive: Least number of subjects with each label in each partition, as far as there are as many.
    """
    names = list(asked_for(fractions))
    free = by_lot([u for u in units if not u.partition], seed)
    if not free:
        return Balanced(chosen={})
    problem = problem_of(units, free, fractions, most or {}, min_positive)
    least = least_terms(problem)
    counts, optimum = _best(problem, seed, least)
    out: dict[str, str] = {}
    for members, row in zip(problem.members, counts, strict=True):
        edges = [0, *np.cumsum(row).tolist()]
        for name, (first, last) in zip(names, pairwise(edges), strict=True):
            out |= {free[m].name: name for m in members[first:last]}
    return Balanced(chosen=out, optimum=optimum)


def _best(problem: Problem, seed: int, least: Floats) -> tuple[Ints, Optimum]:
    """The best counts that were found, and what is known of the best there are."""
    bound, nodes = float(least.sum()), 0
    counts = _searched(problem, seed, bound)
    proof = "integers"
    if problem.loss(counts) > bound + _NEAR and is_small(problem):
        found = improve(problem, counts, least)
        counts = counts if found.counts is None else found.counts
        bound, nodes, proof = found.bound, found.nodes, "exact"
    _keep_sizes(problem, counts)
    _fill_empty(problem, counts)
    distance = problem.loss(counts)
    if distance > bound + _NEAR:
        proof = "bound"
    return counts, Optimum(
        distance=round(distance, _DIGITS),
        bound=round(min(bound, distance), _DIGITS),
        proof=proof,
        nodes=nodes,
    )


def _searched(problem: Problem, seed: int, bound: float) -> Ints:
    """The best of several starts, each kicked and searched again as long as that is worth it."""
    cells, parts = len(problem.supply), len(problem.target)
    best, found = np.inf, np.zeros((cells, parts), np.int64)
    for number in range(_STARTS if cells * _STARTS <= _WORK else 1):
        lots = stream(seed, "split", "start", number)
        order = lots.permutation(cells) if number else _rarest_first(problem)
        counts, totals = search.start(problem, order)
        search.polish(problem, counts, totals, order)
        for _ in range(min(_KICKS, max(_FEW_KICKS, _WORK // (cells * _STARTS))) if cells > 1 else 0):
            before = problem.loss(counts)
            if before <= bound + _NEAR:
                break
            tried, sums = counts.copy(), totals.copy()
            search.kick(
                problem, tried, sums, lots.integers(cells, size=_KICKED), lots.integers(parts, size=_KICKED)
            )
            search.polish(problem, tried, sums, order)
            if problem.loss(tried) < before - _NEAR:
                counts, totals = tried, sums
        loss = round(problem.loss(counts), _DIGITS)
        if loss < best:
            best, found = loss, counts
        if best <= bound + _NEAR:
            break
    return found


def _rarest_first(problem: Problem) -> Ints:
    """Cells by their rarest feature, larger units first: what has few places left is placed while all are open."""
    whole = problem.supply @ problem.values
    rarest = np.where(problem.values > 0, whole, np.inf).min(axis=1)
    out: Ints = np.lexsort((-problem.values[:, 0], rarest)).astype(np.int64)
    return out


def _keep_sizes(problem: Problem, counts: Ints) -> None:
    """Labels never cost more than one largest group of size: two partitions differ by no more than that."""
    while True:
        totals = problem.totals(counts)
        away = totals[:, 0] - problem.target[:, 0]
        for source, to in sorted(permutations(range(len(away)), 2), key=lambda p: away[p[1]] - away[p[0]]):
            there = np.flatnonzero(counts[:, source])
            there = there[problem.values[there, 0] <= problem.most[to] - totals[to, 0]]
            if len(there) and away[source] - away[to] > problem.largest + 1e-9:
                _move(problem, counts, totals, there, source, to)
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
        for source in np.argsort(-away, kind="stable").tolist():
            size = problem.values[:, 0]
            fits = (counts[:, source] > 0) & (size < totals[source, 0]) & (size <= problem.most[to])
            fits &= (away[source] - size >= -problem.largest) & (away[to] + size <= problem.largest)
            there = np.flatnonzero(fits)
            if len(there):
                _move(problem, counts, totals, there, source, to)
                break


def _move(problem: Problem, counts: Ints, totals: Floats, cells: Ints, source: int, to: int) -> None:
    """Move one unit of the cell that it costs the least to move."""
    change = np.zeros(len(cells))
    for part, sign in ((source, -1), (to, 1)):
        after = np.repeat(totals[None, part], len(cells), axis=0) + sign * problem.values[cells]
        lacking = np.maximum(0, problem.floor[part] - after)
        change += (problem.weight[part] * (after - problem.target[part]) ** 2 + STEEP * lacking**2).sum(
            axis=1
        )
    cell = int(cells[np.argmin(np.round(change, _DIGITS))])
    counts[cell, source] -= 1
    counts[cell, to] += 1
