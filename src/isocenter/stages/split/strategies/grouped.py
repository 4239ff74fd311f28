"""By lot: each group goes where most subjects are still missing; labels are not looked at."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.units import asked_for, by_lot, sizes, subjects_in, units_of


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
    """Deal out the groups in the order of a seeded lot.

    A partition lacks more than any other when it receives a group, so it ends no further above its
    fraction than that group is large, and no further below.
    """
    units = units_of(rows)
    already = sizes(units)
    missing = {p: f * len(rows) - already.get(p, 0) for p, f in asked_for(options.fractions).items()}
    chosen = {}
    for unit in by_lot((u for u in units if not u.partition), seed):
        where = max(missing, key=lambda p: round(missing[p], 9))
        chosen[unit.name] = where
        missing[where] -= unit.size
    return Assignment(partitions=subjects_in(units, chosen))
