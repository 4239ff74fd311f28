"""Cells: units that are alike in size, labels and strata, and the sums that a split should come out at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.stages.split.units import Unit

_SIZE_WEIGHT = 10.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Cells (n), features (f) and partitions (p).

    `values` (n, f): a unit's count of subjects, and of those with each label or stratum; `supply` (n,): units
    in a cell; `members`: which they are; `base` (p, f): what kept units bring; `target` (p, f); `weight`
    (p, f); `most` (p,) subjects; `largest`: subjects of the largest unit.
    """

    values: Floats
    supply: Ints
    members: list[list[int]]
    base: Floats
    target: Floats
    weight: Floats
    most: Floats
    largest: float

    def totals(self, counts: Ints) -> Floats:
        """(p, f): what is in each partition."""
        out: Floats = self.base + counts.T.astype(np.float64) @ self.values
        return out

    def loss(self, counts: Ints) -> float:
        """Distance from the targets."""
        return float((self.weight * (self.totals(counts) - self.target) ** 2).sum())


def problem_of(
    units: Sequence[Unit],
    free: Sequence[Unit],
    names: Sequence[str],
    fractions: Mapping[str, float],
    most: Mapping[str, int],
) -> Problem:
    """Sum up units in cells; `names` are the partitions, `most` the largest size some of them may have."""
    features = sorted({f for u in units for r in u.rows for f in _features(r.labels, r.strata)})
    column = {f: i for i, f in enumerate(features, start=1)}
    cells: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, unit in enumerate(free):
        cells[_vector(unit, column)].append(index)
    keys = sorted(cells)
    base = np.zeros((len(names), len(features) + 1))
    for unit in units:
        if unit.partition in names:
            base[names.index(unit.partition)] += _vector(unit, column)
    values = np.array(keys, dtype=np.float64)
    supply = np.array([len(cells[k]) for k in keys], dtype=np.int64)
    total = base.sum(axis=0) + supply @ values
    target = np.outer([fractions[n] for n in names], total)
    weight = 1 / np.maximum(target, 1e-9)
    weight[:, 0] *= _SIZE_WEIGHT * (len(features) + 1)
    return Problem(
        values=values,
        supply=supply,
        members=[cells[k] for k in keys],
        base=base,
        target=target,
        weight=weight,
        most=np.array([most.get(n, np.inf) for n in names]),
        largest=float(values[:, 0].max()),
    )


def _features(labels: Sequence[str], strata: Sequence[str]) -> Iterator[str]:
    yield from (f"label {x}" for x in labels)
    yield from (f"stratum {x}" for x in strata)


def _vector(unit: Unit, column: Mapping[str, int]) -> tuple[int, ...]:
    out = [unit.size, *[0] * len(column)]
    for row in unit.rows:
        for feature in _features(row.labels, row.strata):
            out[column[feature]] += 1
    return tuple(out)
