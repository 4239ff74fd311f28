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
from isocenter.stages.split.times import in_order

_NOTHING = "none"
_MOST_VALUES = 5  # an attribute of more different numbers than this is balanced by its quarters
LESION_SIZE = "lesion_size"
"""The stratum of how much of the labels there is: millilitres, or the number of boxes where nothing was drawn."""


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
    links: Mapping[str, Sequence[str]] | None = None,
    times: Mapping[str, tuple[str, str]] | None = None,
) -> list[SplitRow]:
    """One row per subject of the cases that were packed; it is positive for a label if any of its cases is.

    Subjects whose images are equal voxel by voxel stay together: they may be one person under two names.
    A subject that its source puts in several partitions has one row for each of them.

    Args:
        cases: Rejected ones are left out, those in review count.
        strata: Names of attributes to balance.
        groups: Names of attributes whose equal values keep subjects together.
        links: What else a subject shares with others that must stay with it, by its name.
        times: When the first and the last case of a subject were taken.
    """
    known, when = links or {}, times or {}
    return subjects_of(
        Record(
            row=SplitRow(
                subject=case.subject,
                site=case.site,
                labels=tuple(s.label for s in case.labels if s.is_there),
                cases=(case.id,),
                partition=case.partition,
                first=when.get(case.subject, ("", ""))[0],
                last=when.get(case.subject, ("", ""))[1],
            ),
            links=(
                *known.get(case.subject, ()),
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
        inner=next((r.inner for r in rows if r.inner), ()),
        site=next((site_of[r.site] for r in rows if r.site), ""),
        labels=_union(r.labels for r in rows),
        strata=_union(r.strata for r in rows),
        cases=_union(r.cases for r in rows),
        is_external=any(r.is_external for r in rows),
        first=_earliest([r.first or r.last for r in rows]),
        last=_earliest([r.last for r in rows], is_last=True),
    )


def _earliest(times: Sequence[str], *, is_last: bool = False) -> str:
    """The earliest or latest of the times that are known; one is as good as any where all are equal."""
    known = {t for t in times if t}
    if len(known) < 2:
        return next(iter(known), "")
    order = in_order(known)
    return (max if is_last else min)(sorted(known), key=lambda t: order[t])


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({x for part in parts for x in part}))


def _values(case: CaseRow, names: Sequence[str]) -> dict[str, str]:
    known = {a.name: a.value for a in case.attributes if a.state == AttributeState.KNOWN and a.value}
    if LESION_SIZE in names:
        found = [s for s in case.labels if s.state == "positive"]
        size = sum(s.volume_ml for s in found) or sum(s.count for s in found)
        known[LESION_SIZE] = f"{size:g}" if size else _NOTHING
    return {name: known[name] for name in names if name in known}


def _bands(values: Sequence[str]) -> Callable[[str], str]:
    """What an attribute's value is called in a stratum: itself, or the quarter of all values it lies in."""
    if len(set(values)) <= _MOST_VALUES:
        return str
    try:
        numbers = np.array([float(v) for v in values if v != _NOTHING])
    except ValueError:
        return str
    edges = np.percentile(numbers, [25, 50, 75])
    return lambda value: (
        value if value == _NOTHING else f"quarter {1 + int(np.searchsorted(edges, float(value)))} of 4"
    )


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
