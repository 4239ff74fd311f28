"""Audit: whether a split, ours or somebody else's, can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from isocenter.model.audited import AuditedSplit
from isocenter.model.descriptor_rows import Pair
from isocenter.model.issue import Issue, Severity
from isocenter.model.prevalence import Prevalence, prevalences_of
from isocenter.rules.engine import Engine
from isocenter.stages.audit.canary import Canary


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionCount:
    """What one partition of a split holds; `left_out` counts the images of its subjects that are not used."""

    split: str
    partition: str
    subjects: int
    sites: int
    images: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found on some splits.

    Args:
        splits: Their names.
        issues: What the rules saw; the target of an issue is the split.
        table: The prevalence of every label in every partition.
        counts: What every partition holds.
        pairs: Images that show the same, also those of one subject.
        notes: What was compared and what could not be, with numbers.
        canary: What a leak is worth on these images; None where nobody asked.
        compared: How many images were compared by their pixels, of those that others' lists name; None where no
            image was to be read.
    """

    splits: tuple[str, ...]
    issues: tuple[Issue, ...]
    table: tuple[Prevalence, ...]
    counts: tuple[PartitionCount, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()
    canary: Canary | None = None
    compared: int | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found that makes results worthless; notes and reviews are for people."""
        return all(i.severity != Severity.REJECT for i in self.issues)


def audit(splits: Sequence[AuditedSplit], *, engine: Engine, notes: Iterable[str] = ()) -> Audit:
    """Run the rules of splits, and of what is known of their images.

    Args:
        splits: Each is judged by itself, so that the folds of a cross-validation may overlap. A subject
            that is in several partitions has a row for each of them. Who is not here is left alone.
        engine: Runs the rules.
        notes: What is to be said of how the images were looked at.
    """
    issues: list[Issue] = []
    present = [_present(s) for s in splits]
    for split in present:
        issues += engine.check(split.split)
        issues += engine.check(split)
    return Audit(
        splits=tuple(s.id for s in present),
        issues=tuple(issues),
        table=tuple(row for s in present for row in prevalences_of(s.split)),
        counts=tuple(count for s in present for count in _counts(s)),
        pairs=tuple(dict.fromkeys(pair for s in present for pair in s.twins)),
        notes=tuple(notes),
    )


def _present(audited: AuditedSplit) -> AuditedSplit:
    rows = tuple(r for r in audited.split.rows if r.is_present)
    return replace(audited, split=replace(audited.split, rows=rows))


def _counts(audited: AuditedSplit) -> list[PartitionCount]:
    split = audited.split
    used: dict[str, int] = defaultdict(int)
    left: dict[str, int] = defaultdict(int)
    for image in audited.images:
        (left if image.left_out else used)[image.partition] += 1
    names = dict.fromkeys(
        [*(n for n, share in split.fractions.items() if share), *sorted({r.partition for r in split.rows})]
    )
    return [
        PartitionCount(
            split=split.id,
            partition=name,
            subjects=len({r.subject for r in split.of(name)}),
            sites=len({r.site for r in split.of(name) if r.site}),
            images=used[name],
            left_out=left[name],
        )
        for name in names
    ]
