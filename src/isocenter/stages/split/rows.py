"""Rows to be split: from cases to subjects, and from subjects to what must stay together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from isocenter.model.attributes import AttributeState
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow
from isocenter.model.split import SplitRow

_MOST_VALUES = 5  # an attribute of more different numbers than this is balanced by its quarters


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A subject, or a part of one, as a data set has it.

    `links` name what it shares with others that must stay with it, such as "family 12"; `values` are the
    attributes to balance, by name.
    """

    row: SplitRow
    links: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


def rows_of(
    cases: Iterable[CaseRow],
    strata: Sequence[str] = (),
    *,
    groups: Sequence[str] = (),
) -> list[SplitRow]:
    """One row per subject of the cases that were packed; it is positive for a label if any of its cases is.

    Subjects whose images are equal voxel by voxel stay together: they may be one person under two names.
    A subject that its source puts in several partitions has one row for each of them.

    Args:
        cases: Rejected ones are left out, those in review count.
        strata: Names of attributes to balance.
        groups: Names of attributes whose equal values keep subjects together.
    """
    return subjects_of(
        Record(
            row=SplitRow(
                subject=case.subject,
                site=case.site,
                labels=tuple(s.label for s in case.labels if s.is_there),
                cases=(case.id,),
                partition=case.partition,
            ),
            links=(
                *((f"pixels {case.pixel_digest}",) if case.pixel_digest else ()),
                *(f"{name} {value}" for name, value in _values(case, groups).items()),
            ),
            values=_values(case, strata),
        )
        for case in cases
        if case.verdict != Verdict.REJECT
    )


def subjects_of(records: Iterable[Record]) -> list[SplitRow]:
    """One row per subject (and partition that its source gave it), with its strata and its group.

    Numbers of many values are cut into quarters before they are balanced.
    """
    records = list(records)
    names = sorted({name for r in records for name in r.values})
    band = {n: _bands([r.values[n] for r in records if n in r.values]) for n in names}
    return gather(
        (replace(r.row, strata=(*r.row.strata, *(f"{n}={band[n](v)}" for n, v in r.values.items()))), r.links)
        for r in records
    )


def gather(linked: Iterable[tuple[SplitRow, tuple[str, ...]]]) -> list[SplitRow]:
    """Merge rows of one subject (and partition), and name what must stay together.

    Subjects that share a `group` or a link belong together, and so does who is linked to any of them: a
    group is a connected component, named after its first subject. Centres that share a subject are not
    independent of each other and count as one, "a+b".

    Args:
        linked: Rows in any number per subject, each with further links such as "family 12".
    """
    merged: dict[tuple[str, str], list[SplitRow]] = defaultdict(list)
    subjects, sites = Components(), Components()
    for row, links in linked:
        merged[row.subject, row.partition].append(row)
        for link in (*links, *((f"group {row.group}",) if row.group else ())):
            subjects.join(f"subject {row.subject}", f"link {link}")
        if row.site:
            sites.join(f"subject {row.subject}", f"site {row.site}")
    site_of = {s: "+".join(members) for members in sites.of("site ") for s in members}
    group_of = {s: members[0] for members in subjects.of("subject ") for s in members}
    return [
        _merge(rows, group_of.get(subject, subject), site_of) for (subject, _), rows in sorted(merged.items())
    ]


def _merge(rows: Sequence[SplitRow], group: str, site_of: Mapping[str, str]) -> SplitRow:
    return replace(
        rows[0],
        group=group,
        site=next((site_of[r.site] for r in rows if r.site), ""),
        labels=_union(r.labels for r in rows),
        strata=_union(r.strata for r in rows),
        cases=_union(r.cases for r in rows),
        is_external=any(r.is_external for r in rows),
    )


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({x for part in parts for x in part}))


def _values(case: CaseRow, names: Sequence[str]) -> dict[str, str]:
    known = {a.name: a.value for a in case.attributes if a.state == AttributeState.KNOWN and a.value}
    return {name: known[name] for name in names if name in known}


def _bands(values: Sequence[str]) -> Callable[[str], str]:
    """What an attribute's value is called in a stratum: itself, or the quarter of all values it lies in."""
    if len(set(values)) <= _MOST_VALUES:
        return str
    try:
        numbers = np.array([float(v) for v in values])
    except ValueError:
        return str
    edges = np.percentile(numbers, [25, 50, 75])
    return lambda value: f"quarter {1 + int(np.searchsorted(edges, float(value)))} of 4"


@dataclass(slots=True)
class Components:
    """Connected components of named things (union-find with path halving)."""

    _parent: dict[str, str]

    def __init__(self) -> None:
        self._parent = {}

    def join(self, a: str, b: str) -> None:
        """Say that two things belong together."""
        first, second = sorted((self._root(a), self._root(b)))
        self._parent[second] = first

    def of(self, prefix: str) -> list[list[str]]:
        """The components, as sorted names of their members that begin with the prefix, without it."""
        out: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._parent):
            if name.startswith(prefix):
                out[self._root(name)].append(name.removeprefix(prefix))
        return list(out.values())

    def _root(self, name: str) -> str:
        parent = self._parent
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name
