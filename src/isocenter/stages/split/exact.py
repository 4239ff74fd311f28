"""Exact: a best split of a small cohort, proved by branch and bound, or a bound on how much better one could be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from isocenter.stages.split.cells import STEEP, Floats, Ints, Problem

_MOST_VARIABLES = 400
_MOST_SUMS = 120
_NODES = 300  # a limit in nodes, not in seconds: the same everywhere
_REST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a branch and bound found: better counts (n, p) if there are any, what none can be below, its nodes."""

    counts: Ints | None
    bound: float
    nodes: int


def is_small(problem: Problem) -> bool:
    """Whether a branch and bound is worth its time."""
    parts, features = problem.target.shape
    return len(problem.supply) * parts <= _MOST_VARIABLES and bool(features * parts <= _MOST_SUMS)


def improve(problem: Problem, counts: Ints, least: Floats) -> Searched:
    """Look for a split with a smaller loss than these counts have, by integer programming (HiGHS).

    The loss is convex and its sums are whole numbers, so it equals, at every split, the largest of the straight
    lines through its values at two neighbouring whole numbers. Only sums that a better split can have need lines:
    a term of one is at most what the loss of these counts leaves it once every feature has its least.

    Args:
        problem: Cells, targets and weights.
        counts: (n, p) the best known.
        least: (f,) the least that each feature costs.
    """
    cells, parts = counts.shape
    features = len(least)
    slack = problem.loss(counts) - least.sum()
    lines, limits, ranges = _lines(problem, slack + least)
    take = sparse.kron(sparse.eye(cells), np.ones((1, parts)))
    sums = sparse.kron(problem.values.T, sparse.eye(parts)).tocsr()  # row f * parts + p
    base = problem.base.T.ravel()
    sides, steps = [row for row, *_ in lines], [step for _, step, _ in lines]
    pick = sparse.csr_matrix((steps, (range(len(lines)), sides)), shape=(len(lines), features * parts))
    chosen = sparse.csr_matrix((np.ones(len(lines)), (range(len(lines)), sides)), shape=pick.shape)
    offsets = np.array([offset for *_, offset in lines])
    blank = sparse.csr_matrix((cells, features * parts))
    constraints = [
        LinearConstraint(sparse.hstack([take, blank]), problem.supply, problem.supply),
        LinearConstraint(
            sparse.hstack([sums, sparse.csr_matrix((len(base), len(base)))]),
            ranges[0] - base,
            ranges[1] - base,
        ),
        # term >= step * (base + sum) + offset
        LinearConstraint(sparse.hstack([pick @ sums, -chosen]), -np.inf, -(offsets + pick @ base)),
    ]
    upper = np.concatenate([np.repeat(problem.supply, parts), limits])
    found = milp(
        np.concatenate([np.zeros(cells * parts), np.ones(features * parts)]),
        integrality=np.concatenate([np.ones(cells * parts), np.zeros(features * parts)]),
        bounds=Bounds(np.zeros(len(upper)), upper),
        constraints=constraints,
        options={"node_limit": _NODES, "mip_rel_gap": 0.0},
    )
    return _told(problem, counts, least, found)


def _told(problem: Problem, counts: Ints, least: Floats, found: object) -> Searched:
    loss, nodes = problem.loss(counts), int(getattr(found, "mip_node_count", 0) or 0)
    if getattr(found, "status", 4) == 2:  # nothing within the ranges: nothing better
        return Searched(counts=None, bound=loss, nodes=nodes)
    dual = getattr(found, "mip_dual_bound", None)
    bound = max(float(least.sum()), -np.inf if dual is None else float(dual) - _REST)
    better, x = None, getattr(found, "x", None)
    if x is not None:
        made = np.round(x[: counts.size]).astype(np.int64).reshape(counts.shape)
        is_whole = bool((made >= 0).all() and (made.sum(axis=1) == problem.supply).all())
        if is_whole and problem.loss(made) < loss - _REST:
            better, loss = made, problem.loss(made)
    if getattr(found, "status", 4) == 0 or bound >= loss - 2 * _REST:
        bound = loss
    return Searched(counts=better, bound=min(bound, loss), nodes=nodes)


def _lines(
    problem: Problem, most: Floats
) -> tuple[list[tuple[int, float, float]], Floats, tuple[Floats, Floats]]:
    """Lines (which sum, step, offset), the largest value of each term, and the range of each sum."""
    parts, features = problem.target.shape
    whole = problem.base.sum(axis=0) + problem.supply @ problem.values
    lines: list[tuple[int, float, float]] = []
    low, high = np.zeros(features * parts), np.zeros(features * parts)
    for feature in range(features):
        for part in range(parts):
            row = feature * parts + part
            sums = np.arange(problem.base[part, feature], whole[feature] + 1)
            if not feature:
                sums = sums[sums <= problem.most[part]]
            terms = _terms(problem, part, feature, sums)
            within = np.flatnonzero(terms <= most[feature] + _REST)
            low[row], high[row] = sums[within[0]], sums[within[-1]]
            for n in range(within[0], within[-1]):
                step = float(terms[n + 1] - terms[n])
                lines.append((row, step, float(terms[n] - step * sums[n])))
            if within[0] == within[-1]:  # one sum is possible, and what it costs is known
                lines.append((row, 0.0, float(terms[within[0]])))
    return lines, np.repeat(most + _REST, parts), (low, high)


def _terms(problem: Problem, part: int, feature: int, sums: Floats) -> Floats:
    """What a sum of one feature in one part costs, for each of some sums."""
    away = sums - problem.target[part, feature]
    lacking = np.maximum(0, problem.floor[part, feature] - sums)
    out: Floats = problem.weight[part, feature] * away**2 + STEEP * lacking**2
    return out
