"""geometry/mixed-frames-of-reference."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.4.1")
def mixed_frames_of_reference(series: Series) -> Issues:
    """Slices of one orientation lie in different frames of reference.

    Why it matters:
        Positions can be compared within one frame only. Two frames are two volumes, and nothing says how
        the patient moved between them.

    What to do:
        Ask whether a de-identification tool replaced the UID file by file. If it did, let it run again
        with the same key for the whole study.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(mixed_frames_of_reference, a_series())
        []
        >>> issues_of(mixed_frames_of_reference, a_series(n_frames_of_reference=2))
        ['2 frames of reference among slices that belong together']

    References:
        DICOM PS3.3 C.7.4.1 Frame of Reference Module
    """
    count = series.n_frames_of_reference
    if count > 1:
        yield Issue(
            message=f"{count} frames of reference among slices that belong together",
            measured=str(count),
            expected="1",
        )
