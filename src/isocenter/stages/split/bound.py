"""Bound: what no split can come below, because people cannot be cut in pieces."""

from __future__ import annotations

import numpy as np

from isocenter.stages.split.cells import STEEP, Floats, Problem


def least_terms(problem: Problem) -> Floats:
    """(f,): the least that the size, each label and each stratum can cost, taken by itself.

    Its sum over the parts is fixed, and each part's is a whole number not below that of the kept subjects. The cost
    of a part is convex, so a division in which no exchange of one between two parts helps is the best there is
    (T. Ibaraki and N. Katoh, Resource Allocation Problems, 1988, chapter 4). Added up over the features this bounds
    every split from below, whatever stays together.
    """
    whole = problem.base.sum(axis=0) + problem.supply @ problem.values
    return np.array([_least(problem, f, float(whole[f])) for f in range(len(whole))])


def _least(problem: Problem, feature: int, whole: float) -> float:
    base, target = problem.base[:, feature], problem.target[:, feature]
    weight, floor = problem.weight[:, feature], problem.floor[:, feature]
    held = np.maximum(base, np.floor(_level(base, target, weight, whole) + 1e-9))
    for _ in range(round(whole - float(held.sum()))):
        held[np.argmin(_gain(held, target, weight, floor))] += 1
    while True:
        gain = _gain(held, target, weight, floor)
        loss = np.where(held > base, -_gain(held - 1, target, weight, floor), np.inf)
        to, source = int(np.argmin(gain)), int(np.argmin(loss))
        if to == source or gain[to] + loss[source] > -1e-9:
            return float((weight * (held - target) ** 2 + _lacking(held, floor)).sum())
        held[to] += 1
        held[source] -= 1


def _level(base: Floats, target: Floats, weight: Floats, whole: float) -> Floats:
    """The best division if people could be cut: as far from the target as the weights say, none below its base."""
    is_open = np.ones(len(base), bool)
    level = base.copy()
    while is_open.any():
        rest = whole - base[~is_open].sum() - target[is_open].sum()
        level[is_open] = target[is_open] + rest / weight[is_open] / (1 / weight[is_open]).sum()
        is_below = is_open & (level < base)
        if not is_below.any():
            break
        level[is_below] = base[is_below]
        is_open &= ~is_below
    return level


def _gain(held: Floats, target: Floats, weight: Floats, floor: Floats) -> Floats:
    """What one more costs each part."""
    out: Floats = weight * (2 * (held - target) + 1) + _lacking(held + 1, floor) - _lacking(held, floor)
    return out


def _lacking(held: Floats, floor: Floats) -> Floats:
    out: Floats = STEEP * np.maximum(0, floor - held) ** 2
    return out
