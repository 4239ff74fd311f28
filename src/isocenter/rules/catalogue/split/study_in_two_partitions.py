"""split/study-in-two-partitions."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit, partitions_of, places_of, sharing
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.2.1")
def study_in_two_partitions(split: AuditedSplit) -> Issues:
    """Images of one study are in more than one partition.

    Why it matters:
        One examination has one patient, whatever names its files carry: a study under two subjects is one
        person on both sides.

    What to do:
        Split again with the subjects of a study joined, and find out why one patient has two names.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(study_in_two_partitions, an_audited_split())
        []
        >>> pair = (an_image("a", "train", studies=("1.2",)), an_image("b", "test", studies=("1.2",)))
        >>> issues_of(study_in_two_partitions, an_audited_split(*pair))
        ['2 images of one study are in different partitions']

    References:
        DICOM PS3.3 C.7.2.1: General Study Module, Study Instance UID
    """
    for images in sharing(split.used, lambda i: i.studies):
        if len(partitions_of(images)) > 1:
            yield Issue(
                message=f"{len(images)} images of one study are in different partitions",
                measured=places_of(images),
                expected="one partition",
            )
