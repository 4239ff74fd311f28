"""annotation/vanished-label."""

from __future__ import annotations

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.8.6")
def vanished_label(case: Case) -> Issues:
    """A label is positive in the case, and its mask has no voxel.

    Why it matters:
        A lesion smaller than a voxel, off the image, or lost in resampling or in the vote of the raters,
        turns a positive case into a negative example under a positive name.

    What to do:
        Compare the raters' own masks with the consensus, and the lesion with the spacing.

    Examples:
        >>> from isocenter.model.rows import LabelState
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(vanished_label, a_case())
        []
        >>> gone = LabelState(label="lesion", state="positive", volume_ml=0.0, count=0)
        >>> issues_of(vanished_label, a_case(labels=(gone,)))
        ['lesion is positive, but its mask is empty']

    References:
        DICOM PS3.3 C.8.8.6 ROI Contour Module
    """
    if case.mask is None:
        return
    for known in case.labels:
        if known.state == "positive" and not known.volume_ml and not known.count:
            yield Issue(message=f"{known.label} is positive, but its mask is empty", measured="0", unit="ml")
