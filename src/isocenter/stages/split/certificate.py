"""Certify: count on the rows of a split what it promises, and how far each part is from its share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from isocenter.base.digests import digest_of
from isocenter.model.certificate import Certificate, Deviation, Optimum
from isocenter.model.prevalence import wilson_interval
from isocenter.model.split import UNUSED, SplitRow


def certify(
    rows: Sequence[SplitRow],
    fractions: Mapping[str, float],
    *,
    optimum: Optimum | None = None,
    obstacles: Iterable[str] = (),
) -> Certificate:
    """The certificate of some rows, those that are absent left out of every count but that of the places."""
    present = [r for r in rows if r.is_present]
    groups = Counter(r.group or r.subject for r in present)
    return Certificate(
        cohort=cohort_digest(present),
        places=digest_of(sorted((r.subject, r.partition) for r in rows)),
        subjects=len({r.subject for r in present}),
        groups=len(groups),
        largest=max(groups.values(), default=0),
        subjects_twice=_torn((r.subject, r.partition) for r in rows),
        groups_divided=_torn((r.group or r.subject, r.partition) for r in rows),
        cases_twice=_torn((c, r.partition) for r in rows for c in r.cases),
        deviations=tuple(_deviations(present, fractions)),
        optimum=optimum,
        obstacles=tuple(obstacles),
    )


def cohort_digest(rows: Iterable[SplitRow]) -> str:
    """Digest of who is to be split, whatever their order and places."""
    return digest_of(sorted((r.subject, r.site, r.group, r.labels, r.strata, r.cases) for r in rows))


def _torn(places: Iterable[tuple[str, str]]) -> int:
    """How many names are in more than one partition; what is not used is in none."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, partition in places:
        if partition not in UNUSED:
            found[name].add(partition)
    return sum(len(p) > 1 for p in found.values())


def _deviations(rows: Sequence[SplitRow], fractions: Mapping[str, float]) -> Iterator[Deviation]:
    sizes = Counter(r.partition for r in rows)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        for label in row.labels:
            counts["label", label][row.partition] += 1
        for stratum in row.strata:
            counts["stratum", stratum][row.partition] += 1
    parts = [*fractions, *sorted(set(sizes) - set(fractions))]
    for (kind, name), found in [(("subjects", ""), sizes), *sorted(counts.items())]:
        whole = found.total()
        for part in parts:
            target = fractions.get(part, 0.0) * whole
            inside = len(rows) if kind == "subjects" else sizes[part]
            low, high = wilson_interval(found[part], inside)
            yield Deviation(
                kind=kind,
                name=name,
                partition=part,
                count=found[part],
                subjects=inside,
                target=round(target, 9),
                least=round(abs(round(target) - target), 9),
                low=low,
                high=high,
            )
