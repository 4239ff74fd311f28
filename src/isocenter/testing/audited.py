"""Audited splits for tests and doctests of the rules that look for leaks: clean until a change spoils them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from isocenter.model.audited import AuditedImage, AuditedSplit
from isocenter.model.descriptor_rows import Pair
from isocenter.model.split import Split, SplitRow


def an_image(name: str, partition: str, **changes: Any) -> AuditedImage:
    """One image of a subject of its own, both of this name."""
    return replace(AuditedImage(id=name, subject=name, partition=partition), **changes)


def twins(kind: str, a: str = "subject-0", b: str = "subject-29") -> tuple[Pair, ...]:
    """A pair of images that show the same; the two named are on both sides of the clean split."""
    return (Pair(a=a, b=b, score=0.98, kind=kind),)


def an_audited_split(*images: AuditedImage, **changes: Any) -> AuditedSplit:
    """Thirty images of as many subjects, each with all that can be known of it, or images of your own."""
    chosen = images or tuple(_thirty())
    rows = {
        (i.subject, i.partition): SplitRow(
            subject=i.subject, site=i.site, partition=i.partition, labels=i.labels, cases=(i.id,)
        )
        for i in chosen
    }
    split = Split(
        strategy="foreign",
        seed=0,
        fractions={"train": 0.7, "val": 0.1, "test": 0.2},
        rows=tuple(rows.values()),
    )
    return replace(AuditedSplit(split=split, images=chosen), **changes)


def _thirty() -> list[AuditedImage]:
    parts = ["train"] * 21 + ["val"] * 3 + ["test"] * 6
    return [
        an_image(
            f"subject-{n}",
            part,
            site="site-2" if part == "test" else "site-1",
            studies=(f"study-{n}",),
            volumes=(f"volume-{n}",),
            digest=f"digest-{n}",
            date=f"2020-{1 + n // 3:02}-{1 + n % 3:02}",
            labels=("lesion",) if n % 2 else (),
            facts=(("manufacturer", "AB"[n // 2 % 2]), ("kvp", str(100 + n % 3))),
        )
        for n, part in enumerate(parts)
    ]
