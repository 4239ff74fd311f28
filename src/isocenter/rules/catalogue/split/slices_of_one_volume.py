"""split/slices-of-one-volume."""

from __future__ import annotations

from isocenter.model.audited import AuditedSplit, partitions_of, places_of, sharing
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="Yagis 2021")
def slices_of_one_volume(split: AuditedSplit) -> Issues:
    """Slices of one volume are in more than one partition.

    Where only the names of the files say that they are slices of one volume, a person has to look.

    Why it matters:
        Neighbouring slices are nearly the same picture. A network that has seen one knows the other: random
        labels were learned to 96 % that way, and the scores of published studies fell by 30 to 55 points
        once they were split by subject.

    What to do:
        Split by subject; what the test said of the network is worthless. `isocenter audit --canary` shows
        how much of the score the leak alone is worth on these images.

    Examples:
        >>> from isocenter.testing.audited import an_audited_split, an_image
        >>> from isocenter.testing.rules import issues_of
        >>> issues_of(slices_of_one_volume, an_audited_split())
        []
        >>> pair = (an_image("a-01", "train", volumes=("a",)), an_image("a-02", "test", volumes=("a",)))
        >>> issues_of(slices_of_one_volume, an_audited_split(*pair))
        ['2 slices of one volume are in different partitions']

    References:
        E. Yagis et al., Effect of data leakage in brain MRI classification, Scientific Reports 11, 2021
    """
    for images in sharing(split.used, lambda i: i.volumes):
        if len(partitions_of(images)) > 1:
            is_guessed = any(i.is_volume_guessed for i in images)
            guessed = ", by the names of their files" if is_guessed else ""
            yield Issue(
                message=f"{len(images)} slices of one volume{guessed} are in different partitions",
                severity=Severity.REVIEW if is_guessed else None,
                measured=places_of(images),
                expected="one partition",
            )
