"""split/same-pixels."""

from __future__ import annotations

from dataclasses import replace

from isocenter.model.audited import AuditedSplit, partitions_of, places_of, sharing
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.twins import issues_on_twins


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L1.4")
def same_pixels(split: AuditedSplit) -> Issues:
    """Images of different partitions, or of different subjects, are equal voxel by voxel.

    In different partitions that is a leak and rejected; two subjects of one partition are noted.

    Why it matters:
        Public data sets were merged that share cases, archives hold one examination under two patient IDs:
        what was learned by heart is then asked in the test.

    What to do:
        Keep the images in one partition, or remove one of them. They may be one person under two names: say
        so in the table of subjects, or as a group.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(same_pixels, an_audited_split())
        []
        >>> pair = (an_image("a", "train", digest="x"), an_image("b", "test", digest="x"))
        >>> issues_of(same_pixels, an_audited_split(*pair))
        ['2 images in different partitions are equal voxel by voxel']

    References:
        S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 4, 2023, L1.4: duplicates
    """
    for images in sharing(split.used, lambda i: (i.digest,)):
        is_apart = len(partitions_of(images)) > 1
        if not is_apart and len({i.subject for i in images}) < 2:
            continue
        where = "in different partitions" if is_apart else "of different subjects of one partition"
        yield Issue(
            message=f"{len(images)} images {where} are equal voxel by voxel",
            severity=None if is_apart else Severity.NOTE,
            measured=places_of(images),
            expected="one partition" if is_apart else "one subject",
        )
    # of other types or slopes, which makes other digests of the same picture
    digests = {i.id: i.digest for i in split.used}
    others = tuple(t for t in split.twins if not digests.get(t.a) or digests.get(t.a) != digests.get(t.b))
    yield from issues_on_twins(replace(split, twins=others), {"same-pixels"})
