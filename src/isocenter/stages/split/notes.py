"""Notes: what is true of a split, in sentences with numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from isocenter.model.certificate import Certificate, Optimum
from isocenter.model.prevalence import Prevalence, prevalences_of
from isocenter.model.split import Partition, Split


def notes_on(split: Split, certificate: Certificate) -> list[str]:
    """The certificate, the external share, and the prevalence of every label in every partition."""
    return [
        _certificate(split, certificate),
        *_optimum(certificate.optimum),
        *_external(split),
        *_prevalences(split),
        *_absent(split),
    ]


def _certificate(split: Split, certificate: Certificate) -> str:
    counts = Counter(r.partition for r in split.rows if r.is_present)
    total = counts.total()
    names = [*split.fractions, *sorted(set(counts) - set(split.fractions))]
    sizes = ", ".join(
        f"{name} {counts[name]} ({_percent(counts[name], total)}, asked {100 * split.fractions.get(name, 0):.3g} %)"
        for name in names
    )
    twice, divided = certificate.subjects_twice, certificate.groups_divided
    head = f"{twice or 'no'} subject{'s' if twice > 1 else ''} in two partitions"
    together = f"{divided or 'none'} of {certificate.groups} groups divided"
    return f"{head}: {total} subjects, {sizes}; {together}; digest {certificate.places}"


def _optimum(optimum: Optimum | None) -> Iterator[str]:
    """How near it comes to the best there can be."""
    if optimum is None:
        return
    best = "no other way to place them, with what was settled before, comes nearer to what was asked for"
    only = f"; this holds {optimum.given}" if optimum.given else ""
    if optimum.proof == "integers":
        yield f"{best}: whole people allow no smaller distance than {optimum.distance:.4g}{only}"
    elif optimum.proof == "exact":
        yield f"{best}: all others were ruled out ({optimum.nodes} nodes), distance {optimum.distance:.4g}{only}"
    else:
        gap = optimum.distance - optimum.bound
        yield (
            f"distance from what was asked for {optimum.distance:.4g}; none can be below {optimum.bound:.4g}, "
            f"so at most {gap:.4g} could be gained{only}"
        )


def _external(split: Split) -> Iterator[str]:
    rows = [r for r in split.rows if r.is_present]
    test = [r for r in rows if r.partition == Partition.TEST]
    if len({r.site for r in rows if r.site}) < 2 or not test:
        return
    external = [r for r in test if r.is_external]
    homes = ", ".join(f"{site} {n}" for site, n in sorted(Counter(r.site for r in external).items()))
    share = f"{len(external)} of {len(test)} test subjects ({_percent(len(external), len(test))})"
    yield f"{share} come from centres without a subject in train or val{f': {homes}' if homes else ''}"


def _prevalences(split: Split) -> Iterator[str]:
    found = prevalences_of(split)
    for label in sorted({p.label for p in found}):
        parts = ", ".join(_prevalence(p) for p in found if p.label == label)
        yield f"prevalence of {label}: {parts}"
    gaps = [(abs(p.difference), p) for p in found if p.difference is not None]
    if gaps:
        gap, where = max(gaps, key=lambda g: g[0])
        yield (
            f"largest difference of a prevalence from that of all subjects: "
            f"{100 * gap:.1f} points ({where.label} in {where.partition})"
        )


def _prevalence(one: Prevalence) -> str:
    if one.share is None:
        return f"{one.partition} empty"
    interval = f"95 % interval {100 * one.low:.1f} to {100 * one.high:.1f} %"
    return f"{one.partition} {_percent(one.positive, one.subjects)} ({one.positive} of {one.subjects}, {interval})"


def _absent(split: Split) -> Iterator[str]:
    if absent := sum(not r.is_present for r in split.rows):
        yield f"subjects of an earlier run that have no case now and keep their place: {absent}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"
