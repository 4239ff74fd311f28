"""Matching: which of one rater's lesions are which of another's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, slots=True)
class Matching:
    """Which of two raters' lesions belong together.

    Args:
        pairs: Number of a lesion of the first rater, and of the second, in the order of the first.
        scores: How good each pair is, above 0 and at most 1.
        counts: How many lesions each rater has.
    """

    pairs: tuple[tuple[int, int], ...]
    scores: tuple[float, ...]
    counts: tuple[int, int]

    @property
    def f1(self) -> float | None:
        """Twice the pairs over the lesions of both; None where neither has any, 0 where one has none."""
        total = sum(self.counts)
        return 2.0 * len(self.pairs) / total if total else None


def match(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    scores: NDArray[np.float64],
    counts: tuple[int, int],
    *,
    most_pairs: bool = False,
) -> Matching:
    """Pair lesions so that the sum of the scores is the largest there is.

    Ties go to the lesions that come first, so that the same lesions in the same order give the same pairs.

    Args:
        first: Lesions of the first rater that may be matched, (N,).
        second: The lesion of the second rater that each may be matched with, (N,).
        scores: How good each of these pairs would be, above 0 and at most 1, (N,).
        counts: How many lesions each rater has.
        most_pairs: Whether first of all there are to be as many pairs as possible.
    """
    if not len(first):
        return Matching((), (), counts)
    found: list[tuple[int, int, float]] = []
    order = np.lexsort((second, first))
    first, second, scores = first[order], second[order], scores[order]
    links = coo_array((np.ones(len(first)), (first, counts[0] + second)), shape=(sum(counts),) * 2)
    _, groups = connected_components(links, directed=False)
    by_group = groups[first]
    turn = np.argsort(by_group, kind="stable")
    for some in np.split(turn, np.flatnonzero(np.diff(by_group[turn])) + 1):
        found += _best(first[some], second[some], scores[some], most_pairs=most_pairs)
    found.sort()
    return Matching(tuple((a, b) for a, b, _ in found), tuple(score for *_, score in found), counts)


def _best(
    first: NDArray[np.int64], second: NDArray[np.int64], scores: NDArray[np.float64], *, most_pairs: bool
) -> list[tuple[int, int, float]]:
    """The pairs of lesions that hang together by possible pairs."""
    rows, row_of = np.unique(first, return_inverse=True)
    columns, column_of = np.unique(second, return_inverse=True)
    gain = np.zeros((len(rows), len(columns)))
    # a pair more is worth more than any sum of scores
    gain[row_of, column_of] = scores + (min(gain.shape) + 1 if most_pairs else 0)
    chosen = [
        (a, b) for a, b in zip(*linear_sum_assignment(gain, maximize=True), strict=True) if gain[a, b] > 0
    ]
    of = {(int(a), int(b)): float(s) for a, b, s in zip(first, second, scores, strict=True)}
    return [(int(rows[a]), int(columns[b]), of[int(rows[a]), int(columns[b])]) for a, b in chosen]
