"""Kappa: how far raters agree on classes, beyond what chance would give.

Ratings are (items, raters), a number for each class and NaN where a rater did not rate an item. A statistic is None
where it is not defined: nothing was rated twice, or everything got one class, so that chance explains all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError

LEVELS = ("nominal", "ordinal", "interval")

Ratings = NDArray[np.float64]
Statistic = Callable[[Ratings], float | None]


def cohen_kappa(ratings: Ratings) -> float | None:
    """Cohen's kappa of two raters, on the items that both rated (J. Cohen, Educ. Psychol. Meas. 20, 1960)."""
    if ratings.ndim != 2 or ratings.shape[1] != 2:
        raise ConfigError(f"Cohen's kappa takes two raters: (items, 2), not {ratings.shape}")
    both = ratings[~np.isnan(ratings).any(axis=1)]
    if not len(both):
        return None
    classes = np.unique(both)
    shares = (both[:, :, None] == classes).mean(axis=0)
    return _beyond(float((both[:, 0] == both[:, 1]).mean()), float((shares[0] * shares[1]).sum()))


def fleiss_kappa(ratings: Ratings) -> float | None:
    """Fleiss' kappa, on the items that every rater rated (J. L. Fleiss, Psychol. Bull. 76, 1971)."""
    counts = _counts(ratings[~np.isnan(ratings).any(axis=1)])
    raters = ratings.shape[1]
    if not len(counts) or raters < 2:
        return None
    agreed = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    shares = counts.sum(axis=0) / counts.sum()
    return _beyond(float(agreed.mean()), float((shares**2).sum()))


def krippendorff_alpha(ratings: Ratings, *, level: str = "nominal") -> float | None:
    """Krippendorff's alpha; items rated by one rater alone say nothing (Content Analysis, 4th ed., 2018).

    Args:
        ratings: (items, raters), NaN where there is none.
        level: "nominal": classes differ or not. "ordinal": by ranks in between. "interval": by the numbers.

    Raises:
        ConfigError: another level.
    """
    if level not in LEVELS:
        raise ConfigError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    counts = _counts(ratings)
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return None
    classes = np.unique(ratings[~np.isnan(ratings)])
    weights = 1 / (counts.sum(axis=1) - 1)
    pairs = (counts * weights[:, None]).T @ counts - np.diag((counts * weights[:, None]).sum(axis=0))
    totals = counts.sum(axis=0)
    distance = _distances(classes, totals, level)
    expected = (np.outer(totals, totals) * distance).sum() / (totals.sum() - 1)
    return None if expected == 0 else float(1 - (pairs * distance).sum() / expected)


def gwet_ac1(ratings: Ratings, *, n_classes: int | None = None) -> float | None:
    """Gwet's AC1, which stays where it is if nearly all items are of one class (Br. J. Math. Stat. Psychol. 61, 2008).

    Args:
        ratings: (items, raters), NaN where there is none.
        n_classes: How many classes there are; None: as many as occur.
    """
    counts = _counts(ratings)
    each = counts.sum(axis=1)
    several = counts[each >= 2]
    classes = counts.shape[1] if n_classes is None else n_classes
    if not len(several) or classes < 2:
        return None
    n = several.sum(axis=1)
    agreed = float(((several * (several - 1)).sum(axis=1) / (n * (n - 1))).mean())
    shares = (counts[each > 0] / each[each > 0, None]).mean(axis=0)
    return _beyond(agreed, float((shares * (1 - shares)).sum()) / (classes - 1))


def _counts(ratings: Ratings) -> NDArray[np.float64]:
    """How many raters gave each item each class, (items, classes)."""
    classes = np.unique(ratings[~np.isnan(ratings)])
    return np.asarray((ratings[:, :, None] == classes).sum(axis=1), dtype=np.float64)


def _distances(classes: NDArray[np.float64], totals: NDArray[np.float64], level: str) -> NDArray[np.float64]:
    """Squared distance of every two classes."""
    if level == "nominal":
        return 1.0 - np.eye(len(classes))
    places = classes if level == "interval" else np.cumsum(totals) - totals / 2
    return np.asarray((places[:, None] - places[None]) ** 2)


def _beyond(agreed: float, by_chance: float) -> float | None:
    return None if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)
