"""identity/dummy-patient-id."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.1.1")
def dummy_patient_id(series: Series) -> Issues:
    """The Patient ID is a placeholder that many people share.

    Why it matters:
        Where a whole centre is called ANONYMOUS, 0 or TEST, its patients look like one person. A split
        cannot keep them apart from each other, nor notice one person in two partitions.

    What to do:
        Take the subject from the path or a table instead of the tag, or ask the centre for pseudonyms
        that differ from patient to patient.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(dummy_patient_id, a_series())
        []
        >>> issues_of(dummy_patient_id, a_series(is_dummy_patient_id=True))
        ['the Patient ID is a placeholder, not the name of one patient']

    References:
        DICOM PS3.3 C.7.1.1 Patient Module; PS3.15 E.1: a replaced identifier is to stay distinct
    """
    if series.is_dummy_patient_id:
        yield Issue(message="the Patient ID is a placeholder, not the name of one patient")
