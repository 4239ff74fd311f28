"""Audit: whether a split, ours or somebody else's, can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from isocenter.model.issue import Issue, Severity
from isocenter.model.prevalence import Prevalence, prevalences_of
from isocenter.model.reasons import because
from isocenter.model.split import Split
from isocenter.rules.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found on some splits: the issues, and the prevalence of every label in every partition."""

    splits: tuple[str, ...]
    issues: tuple[Issue, ...]
    table: tuple[Prevalence, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found that makes results worthless; notes and reviews are for people."""
        return all(i.severity != Severity.REJECT for i in self.issues)


def audit(splits: Sequence[Split], *, engine: Engine, digests: Mapping[str, str] | None = None) -> Audit:
    """Run the rules of splits, and look for equal images in different partitions.

    Args:
        splits: Each is judged by itself, so that the folds of a cross-validation may overlap. A subject
            that is in several partitions has a row for each of them.
        engine: Runs the rules.
        digests: Digest of the voxels of a case, by its id.
    """
    issues: list[Issue] = []
    for split in splits:
        present = replace(split, rows=tuple(r for r in split.rows if r.is_present))
        issues += engine.check(present)
        issues += _same_images(present, digests or {})
    return Audit(
        splits=tuple(s.id for s in splits),
        issues=tuple(issues),
        table=tuple(row for s in splits for row in prevalences_of(s)),
    )


def _same_images(split: Split, digests: Mapping[str, str]) -> Iterator[Issue]:
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in split.rows:
        for case in row.cases:
            if digest := digests.get(case):
                places[digest].add((row.subject, row.partition))
    for found in sorted(sorted(p) for p in places.values() if len(p) > 1):
        apart = len({partition for _, partition in found if partition}) > 1
        yield because(
            "audit/same-images-apart" if apart else "audit/same-images",
            target=found[0][0],
            measured=_listed(f"{subject} in {partition or 'no partition'}" for subject, partition in found),
            expected="one subject" if not apart else "one partition",
            source=split.id,
        )


def _listed(texts: Iterable[str], most: int = 6) -> str:
    found = list(texts)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
