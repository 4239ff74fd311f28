"""Outer folds: a nested split as one split for each fold that is tested, its inner folds beside it."""

from __future__ import annotations

from dataclasses import replace

from isocenter.model.split import RESERVE, Partition, Split
from isocenter.stages.split.certificate import certify


def outer_splits(split: Split) -> list[Split]:
    """One split for each outer fold, `<id>-outer-<n>`: that fold is `test`, the others are inner folds.

    Subjects that the nested split holds out as test are in reserve there. A split that is not nested has none.
    """
    folds = max((len(r.inner) for r in split.rows), default=0)
    out = []
    for number in range(folds):
        rows = tuple(
            replace(r, partition=_place(r.partition, r.inner, number), inner=(), is_external=False)
            for r in split.rows
        )
        tested = sum(r.partition == Partition.TEST and r.is_present for r in rows)
        names = sorted({r.partition for r in rows} - {Partition.TEST.value, RESERVE})
        used = sum(r.partition != RESERVE and r.is_present for r in rows)
        share = tested / used if used else 0.0
        fractions = {n: (1 - share) / len(names) for n in names} | {Partition.TEST.value: share}
        out.append(
            replace(
                split,
                id=f"{split.id}-outer-{number}",
                rows=rows,
                fractions=fractions,
                issues=(),
                notes=(f"outer fold {number} of {folds}: it is the test part, the others are inner folds",),
                earlier=(),
                certificate=certify([r for r in rows if r.partition != RESERVE], fractions),
            )
        )
    return out


def _place(partition: str, inner: tuple[str, ...], number: int) -> str:
    if partition == f"fold-{number}":
        return Partition.TEST.value
    return (inner[number] if number < len(inner) else "") or RESERVE
