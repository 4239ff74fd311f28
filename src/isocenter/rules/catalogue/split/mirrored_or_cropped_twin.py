"""split/mirrored-or-cropped-twin."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit
from isocenter.model.issue import Severity
from isocenter.rules import Issues, rule
from isocenter.rules.twins import issues_on_twins


@rule(severity=Severity.REJECT, clause="Kapoor 2023 L1.4")
def mirrored_or_cropped_twin(split: AuditedSplit) -> Issues:
    """Images of two subjects are the same, one of them mirrored or cropped.

    In different partitions that is a leak and rejected; in one partition it is noted.

    Why it matters:
        Copies that were augmented before the split, or cut out for another challenge, are the same patient.
        A mirrored copy is also a case whose sides are wrong.

    What to do:
        Augment after the split, and in the training part alone. Join the two names, or remove the copy.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, twins
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(mirrored_or_cropped_twin, an_audited_split())
        []
        >>> issues_of(mirrored_or_cropped_twin, an_audited_split(twins=twins("mirrored")))
        ['images in different partitions show the same (mirrored, likeness 0.98)']

    References:
        S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 4, 2023, L1.4: duplicates
    """
    yield from issues_on_twins(split, {"mirrored", "cropped"})
