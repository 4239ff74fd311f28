"""Random cohorts as every peer can take them: people, their labels, who stays together, and how many folds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Labels of each person, the group of each, and the number of folds; `kind` says what it looks like."""

    kind: str
    labels: list[list[int]]
    groups: list[int]
    n_labels: int
    folds: int

    @property
    def plain(self) -> dict[str, object]:
        """The cohort as JSON."""
        return {
            "kind": self.kind,
            "labels": self.labels,
            "groups": self.groups,
            "n_labels": self.n_labels,
            "folds": self.folds,
        }


def classes(number: int) -> Cohort:
    """One class for each person, groups of 1 to 8: what StratifiedGroupKFold is made for."""
    lot = random.Random(f"classes {number}")  # noqa: S311 - people, no secrets
    n_labels, folds = lot.randint(2, 6), lot.choice([3, 5, 10])
    weights = [lot.random() ** 2 + 0.02 for _ in range(n_labels)]
    labels, groups = [], []
    for group in range(lot.choice([40, 100, 300, 1000])):
        usual = lot.choices(range(n_labels), weights)[0]
        for _ in range(lot.randint(1, 8)):
            is_usual = lot.random() < 0.7
            labels.append([usual if is_usual else lot.choices(range(n_labels), weights)[0]])
            groups.append(group)
    return Cohort(kind="classes", labels=labels, groups=groups, n_labels=n_labels, folds=folds)


def several(number: int) -> Cohort:
    """Several labels for each person, nobody kept together: what MultilabelStratifiedKFold is made for."""
    lot = random.Random(f"several {number}")  # noqa: S311 - people, no secrets
    n_labels, folds = lot.randint(2, 14), lot.choice([3, 5, 10])
    shares = [0.02 + 0.4 * lot.random() ** 2 for _ in range(n_labels)]
    size = lot.choice([100, 300, 1000, 3000])
    labels = [[n for n, share in enumerate(shares) if lot.random() < share] for _ in range(size)]
    return Cohort(kind="several", labels=labels, groups=list(range(size)), n_labels=n_labels, folds=folds)


def large(size: int, n_labels: int, groups_of: int = 1) -> Cohort:
    """A large cohort of rare labels, for the growth curve."""
    lot = random.Random(f"large {size} {n_labels} {groups_of}")  # noqa: S311 - people, no secrets
    shares = [0.01 + 0.2 * lot.random() ** 2 for _ in range(n_labels)]
    labels = [[n for n, share in enumerate(shares) if lot.random() < share] for _ in range(size)]
    groups = [n // groups_of for n in range(size)]
    return Cohort(kind="large", labels=labels, groups=groups, n_labels=n_labels, folds=5)


def deviation(cohort: Cohort, fold_of: Sequence[int]) -> tuple[float, float, float]:
    """How far labels and sizes are from an equal part in every fold.

    Three means or spreads: of people with a label in a fold, off an equal part of all with it, over that part; of a
    label's share in a fold, off that in the cohort; and the largest difference of a fold's size from an equal part,
    over that part. The second can be lowered by folds of unequal sizes.
    """
    whole = len(fold_of)
    total = [0] * cohort.n_labels
    sizes = [0] * cohort.folds
    counts = [[0] * cohort.n_labels for _ in range(cohort.folds)]
    for labels, fold in zip(cohort.labels, fold_of, strict=True):
        sizes[fold] += 1
        for label in labels:
            total[label] += 1
            counts[fold][label] += 1
    off = [
        abs(counts[f][n] - total[n] / cohort.folds) / (total[n] / cohort.folds)
        for f in range(cohort.folds)
        for n in range(cohort.n_labels)
        if total[n]
    ]
    gaps = [
        abs(counts[f][n] / sizes[f] - total[n] / whole) if sizes[f] else total[n] / whole
        for f in range(cohort.folds)
        for n in range(cohort.n_labels)
        if total[n]
    ]
    part = whole / cohort.folds
    return sum(off) / len(off), sum(gaps) / len(gaps), max(abs(s - part) for s in sizes) / part


def torn(cohort: Cohort, fold_of: Sequence[int]) -> int:
    """How many groups are in more than one fold."""
    found: dict[int, set[int]] = {}
    for group, fold in zip(cohort.groups, fold_of, strict=True):
        found.setdefault(group, set()).add(fold)
    return sum(len(f) > 1 for f in found.values())
