"""identity/several-patients-in-series."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 A.1.2.3")
def several_patients_in_series(series: Series) -> Issues:
    """Images of one series name different patients.

    Why it matters:
        A series belongs to one patient. If its files disagree, either people were mixed up or a UID was
        used twice, and any label on the series may belong to somebody else.

    What to do:
        Find out which file is wrong; often a merge or a de-identification tool rewrote a part of them.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(several_patients_in_series, a_series())
        []
        >>> issues_of(several_patients_in_series, a_series(n_subjects=2))
        ['2 patients in one series']

    References:
        DICOM PS3.3 A.1.2.3 Series IE: a Series is part of one Study of one Patient
    """
    if series.n_subjects > 1:
        yield Issue(
            message=f"{series.n_subjects} patients in one series",
            measured=str(series.n_subjects),
            expected="1",
        )
