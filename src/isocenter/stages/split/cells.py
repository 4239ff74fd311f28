"""Cells: units that are alike in size, labels and strata, and the sums that a split should come out at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isocenter.stages.split.units import Unit, asked_for

# Of the sizes, beside all labels together: where everybody moves alone they can be met next to exactly, where groups
# move they would cost the labels more than they are worth (and are bounded by the largest group anyway).
_SIZE_WEIGHT_ALONE = 10.0
_SIZE_WEIGHT_GROUPS = 0.2
STEEP = 1e4
"""What a positive that a part lacks costs, squared: more than any distance from a share that is worth having."""
# Who gets the last few positives of a rare label: what is to be learned, then what is to be reported.
_FIRST = ("train", "test", "val")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Cells (n), features (f) and partitions (p).

    `values` (n, f): a unit's count of subjects, and of those with each label or stratum; `supply` (n,): units
    in a cell; `members`: which they are; `base` (p, f): what kept units bring; `target` (p, f); `weight`
    (p, f); `floor` (p, f): the least that a part should have; `most` (p,) subjects; `largest`: subjects of the
    largest unit.
    """

    values: Floats
    supply: Ints
    members: list[list[int]]
    base: Floats
    target: Floats
    weight: Floats
    floor: Floats
    most: Floats
    largest: float

    @cached_property
    def sparse(self) -> tuple[Ints, Ints, Floats]:
        """(n + 1,), (m,), (m,): where each cell's features begin, which they are, and their counts."""
        rows, columns = np.nonzero(self.values)
        starts = np.searchsorted(rows, np.arange(len(self.values) + 1))
        return starts.astype(np.int64), columns.astype(np.int64), self.values[rows, columns]

    def totals(self, counts: Ints) -> Floats:
        """(p, f): what is in each partition."""
        out: Floats = self.base + counts.T.astype(np.float64) @ self.values
        return out

    def terms(self, totals: Floats) -> Floats:
        """(p, f): what each sum costs: its squared distance from the target, and steeply what it lacks to its floor."""
        out: Floats = (
            self.weight * (totals - self.target) ** 2 + STEEP * np.maximum(0, self.floor - totals) ** 2
        )
        return out

    def loss(self, counts: Ints) -> float:
        """Distance from the targets."""
        return float(self.terms(self.totals(counts)).sum())


def problem_of(
    units: Sequence[Unit],
    free: Sequence[Unit],
    fractions: Mapping[str, float],
    most: Mapping[str, int],
    min_positive: int = 0,
) -> Problem:
    """Sum up units in cells.

    Args:
        units: Free and kept.
        free: Those that can be placed.
        fractions: Share of the subjects by partition.
        most: The largest size some partitions may have.
        min_positive: Least number of subjects with each label in each partition, as far as there are as many.
    """
    names = list(asked_for(fractions))
    features = sorted({f for u in units for r in u.rows for f in _features(r.labels, r.strata)})
    column = {f: i for i, f in enumerate(features, start=1)}
    cells: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    for index, unit in enumerate(free):
        cells[_counts(unit, column)].append(index)
    dense = {key: _vector(key, len(features) + 1) for key in cells}
    keys = sorted(cells, key=lambda k: tuple(dense[k].tolist()))
    base = np.zeros((len(names), len(features) + 1))
    for unit in units:
        if unit.partition in names:
            base[names.index(unit.partition)] += _vector(_counts(unit, column), len(features) + 1)
    values = np.array([dense[k] for k in keys], dtype=np.float64)
    supply = np.array([len(cells[k]) for k in keys], dtype=np.int64)
    total = base.sum(axis=0) + supply @ values
    target = np.outer([fractions[n] for n in names], total)
    weight = 1 / np.maximum(target, 1e-9)
    is_alone = all(u.size == 1 for u in units)
    weight[:, 0] *= (_SIZE_WEIGHT_ALONE if is_alone else _SIZE_WEIGHT_GROUPS) * (len(features) + 1)
    floor = np.zeros_like(target)
    for feature, index in column.items():
        if feature.startswith("label "):
            floor[:, index] = _floors(names, min_positive, int(total[index]))
    return Problem(
        values=values,
        supply=supply,
        members=[cells[k] for k in keys],
        base=base,
        target=target,
        weight=weight,
        floor=floor,
        most=np.array([most.get(n, np.inf) for n in names]),
        largest=float(values[:, 0].max()),
    )


def _floors(names: Sequence[str], least: int, total: int) -> list[int]:
    """One for each part in turn, train first, then test, until each has `least` or there are no more."""
    order = sorted(
        range(len(names)), key=lambda n: _FIRST.index(names[n]) if names[n] in _FIRST else len(_FIRST)
    )
    rounds, rest = divmod(min(total, least * len(names)), len(names))
    return [rounds + (order.index(n) < rest) for n in range(len(names))]


def _features(labels: Sequence[str], strata: Sequence[str]) -> Iterator[str]:
    yield from (f"label {x}" for x in labels)
    yield from (f"stratum {x}" for x in strata)


def _counts(unit: Unit, column: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    """Pairs of column and count, in the order of the columns; the size is the first."""
    out: defaultdict[int, int] = defaultdict(int, {0: unit.size})
    for row in unit.rows:
        for feature in _features(row.labels, row.strata):
            out[column[feature]] += 1
    return tuple(sorted(out.items()))


def _vector(counts: tuple[tuple[int, int], ...], size: int) -> Floats:
    out = np.zeros(size)
    for column, count in counts:
        out[column] = count
    return out
