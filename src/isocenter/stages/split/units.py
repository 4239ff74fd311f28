"""Units: the groups of subjects that a strategy moves as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from isocenter.base.seeds import fraction
from isocenter.model.split import Partition, SplitRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Subjects that stay together; `partition` is "" where a strategy may choose it."""

    name: str
    rows: tuple[SplitRow, ...]
    partition: str = ""

    @property
    def size(self) -> int:
        """Number of subjects."""
        return len(self.rows)

    @property
    def sites(self) -> frozenset[str]:
        """The known centres its subjects come from."""
        return frozenset(r.site for r in self.rows if r.site)


def units_of(rows: Iterable[SplitRow]) -> list[Unit]:
    """The groups of some rows, sorted by name; kept rows of one group that disagree are units of their own."""
    members: dict[tuple[str, str], list[SplitRow]] = defaultdict(list)
    for row in rows:
        members[row.group, row.partition].append(row)
    return [
        Unit(name=name, partition=place, rows=tuple(sorted(found, key=lambda r: r.subject)))
        for (name, place), found in sorted(members.items())
    ]


def by_lot(units: Iterable[Unit], seed: int) -> list[Unit]:
    """Units in the order of a lot that depends on the seed and the unit's name alone."""
    return sorted(units, key=lambda u: (fraction(seed, "split", u.name), u.name))


def asked_for(fractions: Mapping[str, float]) -> dict[str, float]:
    """The partitions with a fraction above 0: train, val and test in this order, then others as they come."""
    known = {p.value: fractions[p] for p in Partition if fractions.get(p, 0) > 0}
    return known | {p: f for p, f in fractions.items() if f > 0}


def subjects_in(units: Iterable[Unit], chosen: Mapping[str, str]) -> dict[str, str]:
    """Partition of every subject: the unit's own, else the one chosen for its name."""
    return {row.subject: unit.partition or chosen[unit.name] for unit in units for row in unit.rows}


def sizes(units: Sequence[Unit]) -> dict[str, int]:
    """Number of kept subjects by partition."""
    out: dict[str, int] = defaultdict(int)
    for unit in units:
        if unit.partition:
            out[unit.partition] += unit.size
    return out
