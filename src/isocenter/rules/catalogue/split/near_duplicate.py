"""split/near-duplicate."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Severity
from isocenter.rules import Issues, rule
from isocenter.rules.twins import issues_on_twins


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L1.4")
def near_duplicate(split: AuditedSplit) -> Issues:
    """Images of two subjects show the same, resampled, windowed anew, exported anew or compressed.

    In different partitions that is a leak and rejected; in one partition it is noted.

    Why it matters:
        A copy that was resampled or windowed has other voxels but the same anatomy, and a network
        recognises it. No comparison of files or of pixels finds it.

    What to do:
        Look at both. If they are one person, join the two names in the table of subjects or as a group and
        split again; if a pair is a mistake, ignore the rule with that as the reason.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, twins
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(near_duplicate, an_audited_split())
        []
        >>> issues_of(near_duplicate, an_audited_split(twins=twins("near-duplicate")))
        ['images in different partitions show the same (near-duplicate, likeness 0.98)']

    References:
        S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 4, 2023, L1.4: duplicates
    """
    yield from issues_on_twins(split, {"near-duplicate"})
