"""Prevalence: how many subjects of a partition are positive for a label, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.model.split import Split, SplitRow

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevalence:
    """One label in one partition of a split: its share, the 95 % interval, and the difference from all subjects.

    `share` and `difference` are None where the partition has no subject.
    """

    split: str
    partition: str
    label: str
    positive: int
    subjects: int
    share: float | None
    low: float
    high: float
    difference: float | None


def prevalences_of(split: Split) -> list[Prevalence]:
    """Every label in every partition of a split, the partitions in the order they were asked for."""
    rows = [r for r in split.rows if r.is_present]
    labels = sorted({label for r in rows for label in r.labels})
    partitions = list(dict.fromkeys([*split.fractions, *sorted({r.partition for r in rows})]))
    overall = {label: _count(rows, label) / len(rows) for label in labels}
    out = []
    for label in labels:
        for partition in partitions:
            inside = [r for r in rows if r.partition == partition]
            positive = _count(inside, label)
            share = positive / len(inside) if inside else None
            low, high = wilson_interval(positive, len(inside))
            out.append(
                Prevalence(
                    split=split.id,
                    partition=partition,
                    label=label,
                    positive=positive,
                    subjects=len(inside),
                    share=share,
                    low=low,
                    high=high,
                    difference=None if share is None else share - overall[label],
                )
            )
    return out


def wilson_interval(part: int, whole: int, z: float = Z95) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927, JASA 22:209), 95 % by default; within 0 and 1, which it is of nothing."""
    if not whole:
        return 0.0, 1.0
    share, z2 = part / whole, z**2
    centre = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = z * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, centre - half), min(1.0, centre + half)


def _count(rows: Sequence[SplitRow], label: str) -> int:
    return sum(label in r.labels for r in rows)
