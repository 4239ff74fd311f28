"""Bootstrap: how sure a statistic of agreement is, by drawing subjects again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.agreement.kappa import Ratings, Statistic
from isocenter.base.seeds import stream


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic and where it would lie with other subjects.

    Args:
        value: The statistic of the subjects there are; None where it is not defined.
        low: Lower end of the interval; None where too few draws define the statistic.
        high: Its upper end.
        draws: Draws in which the statistic was defined.
    """

    value: float | None
    low: float | None
    high: float | None
    draws: int


def interval_of(
    statistic: Statistic,
    ratings: Ratings,
    subjects: Sequence[str],
    *,
    seed: int = 0,
    share: float = 0.95,
    draws: int = 2000,
) -> Interval:
    """The percentile interval of a statistic (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993).

    Subjects are drawn with all their items, since items of one subject are not independent. The draws depend on the
    seed and on the number of subjects alone; the order of the items does not matter.

    Args:
        statistic: E.g. `cohen_kappa`.
        ratings: (items, raters).
        subjects: Whose each item is.
        seed: Same seed, same interval.
        share: How much of the draws the interval holds.
        draws: How often subjects are drawn.
    """
    if len(subjects) != len(ratings):
        raise ValueError(f"{len(ratings)} items of {len(subjects)} subjects")
    value = statistic(ratings)
    names, owner = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    if not len(names):
        return Interval(value, None, None, 0)
    order = np.lexsort((*ratings.T[::-1], owner))
    items = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)
    random = stream(seed, "agreement", "bootstrap")
    found = []
    for _ in range(draws):
        drawn = random.integers(0, len(names), len(names))
        one = statistic(ratings[np.concatenate([items[n] for n in drawn])])
        if one is not None:
            found.append(one)
    if len(found) < draws / 2 or len(names) < 2:
        return Interval(value, None, None, len(found))
    low, high = np.quantile(found, [(1 - share) / 2, (1 + share) / 2])
    return Interval(value, float(low), float(high), len(found))
