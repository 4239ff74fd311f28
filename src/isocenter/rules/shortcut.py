"""Shortcut: how well a label is told from what the scanner says of itself, without a single voxel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, rankdata

_FOLDS = 5
_MOST_VALUES = 8  # a number of more different values than this is cut into quarters
_UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """How well facts tell the positive subjects from the others.

    Args:
        auc: Area under the ROC curve of the cross-fitted classifier; 0.5 is chance.
        p: How often chance alone tells as well (one-sided Mann-Whitney test).
        best: The fact that tells most by itself.
        best_auc: Its area.
    """

    auc: float
    p: float
    best: str
    best_auc: float


def shortcut_of(facts: Sequence[Mapping[str, str]], is_positive: Sequence[bool]) -> Shortcut | None:
    """Classify subjects by their facts alone: naive Bayes, each fifth of the subjects by the other four.

    Every subject is scored by a model that has not seen it, so the area is no better than chance where the facts
    tell nothing, however many there are.

    Args:
        facts: What is known of each subject, by name.
        is_positive: Whether it has the label.

    Returns:
        None where a side has fewer subjects than there are parts, or no fact differs.
    """
    truth = np.asarray(is_positive, dtype=bool)
    if min(truth.sum(), (~truth).sum()) < _FOLDS:
        return None
    names = sorted({name for f in facts for name in f})
    columns = {n: column for n in names if len(set(column := _cells([f.get(n, "") for f in facts]))) > 1}
    if not columns:
        return None
    part = _parts(truth)
    scores = {n: _scores(column, truth, part) for n, column in columns.items()}
    together = np.sum(list(scores.values()), axis=0)
    alone = {n: _area(score, truth) for n, score in scores.items()}
    best = max(alone, key=lambda n: (alone[n], n))
    test = mannwhitneyu(together[truth], together[~truth], alternative="greater", method="asymptotic")
    p = float(test.pvalue) if np.ptp(together) > 0 else 1.0
    return Shortcut(auc=_area(together, truth), p=p, best=best, best_auc=alone[best])


def _cells(values: Sequence[str]) -> list[str]:
    """Values as they are, numbers of many values by their quarters."""
    known = [v for v in values if v]
    if len(set(known)) <= _MOST_VALUES:
        return [v or _UNKNOWN for v in values]
    try:
        numbers = [float(v) for v in known]
    except ValueError:
        return [v or _UNKNOWN for v in values]
    edges = np.percentile(numbers, [25, 50, 75])
    return [str(int(np.searchsorted(edges, float(v)))) if v else _UNKNOWN for v in values]


def _parts(truth: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which fifth each subject is in: both sides are spread evenly over them."""
    out = np.zeros(truth.size, np.int64)
    for side in (truth, ~truth):
        out[side] = np.arange(int(side.sum())) % _FOLDS
    return out


def _scores(column: Sequence[str], truth: NDArray[np.bool_], part: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log odds of each subject's value among the others, with one imaginary subject more for every value."""
    out = np.zeros(truth.size)
    kinds = len(set(column))
    for fold in range(_FOLDS):
        inside = part != fold
        counts = [
            Counter(v for v, use in zip(column, inside & side, strict=True) if use)
            for side in (truth, ~truth)
        ]
        totals = [c.total() + kinds for c in counts]
        odds = {
            v: np.log((counts[0][v] + 1) / totals[0]) - np.log((counts[1][v] + 1) / totals[1])
            for v in set(column)
        }
        for n in np.flatnonzero(~inside).tolist():
            out[n] = odds[column[n]]
    return out


def _area(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive subject has the higher score, ties counted half."""
    n = int(truth.sum())
    ranks = rankdata(score)
    return float((ranks[truth].sum() - n * (n + 1) / 2) / (n * (truth.size - n)))
