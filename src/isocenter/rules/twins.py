"""Twins: what is told of two images that show the same, by the partitions they are in."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from isocenter.model.audited import AuditedSplit, partitions_of, places_of
from isocenter.model.issue import Issue, Severity


def issues_on_twins(split: AuditedSplit, kinds: Collection[str]) -> Iterator[Issue]:
    """One issue for each pair of these kinds, of two subjects; where one partition has both it is a note."""
    images = {i.id: i for i in split.used}
    for pair in split.twins:
        if pair.kind not in kinds or pair.a not in images or pair.b not in images:
            continue
        both = (images[pair.a], images[pair.b])
        if both[0].subject == both[1].subject:
            continue  # that a subject is in two partitions is told of the subject
        is_apart = len(partitions_of(both)) > 1
        where = "in different partitions" if is_apart else "of two subjects of one partition"
        yield Issue(
            message=f"images {where} show the same ({pair.kind}, likeness {pair.score:.2f})",
            severity=None if is_apart else Severity.NOTE,
            measured=places_of(both),
            expected="one partition" if is_apart else "one subject",
            source=f"{pair.a}, {pair.b}",
        )
