"""identity/missing-patient-id."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.1.1")
def missing_patient_id(series: Series) -> Issues:
    """The header holds no Patient ID.

    Why it matters:
        A split is by patient. Without an ID in the header, everything rests on what the path or a table
        says; without either, the picture cannot be assigned to anybody and is rejected.

    What to do:
        Tell the source how its subjects are found (`subject.pattern` or `subject.table`), and make sure
        that one person has one name there.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(missing_patient_id, a_series())
        []
        >>> issues_of(missing_patient_id, a_series(has_patient_id=False))
        ['no Patient ID in the header; the subject is known from elsewhere']

    References:
        DICOM PS3.3 C.7.1.1 Patient Module: Patient ID (0010,0020) is Type 2
    """
    if series.format != "dicom" or series.has_patient_id:
        return
    if series.subject:
        yield Issue(message="no Patient ID in the header; the subject is known from elsewhere")
    else:
        yield Issue(
            message="no Patient ID in the header, nor a subject from elsewhere", severity=Severity.REJECT
        )
