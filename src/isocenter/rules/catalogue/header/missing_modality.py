"""header/missing-modality."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.3.1.1.1")
def missing_modality(series: Series) -> Issues:
    """The header does not say which modality made the image.

    Why it matters:
        Units, value range and every check of plausibility hang on the modality. The study description is
        free text in any language, and often of the examination that was ordered, so it cannot stand in.

    What to do:
        Correct the header at its source. Modality must be there in every DICOM series.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(missing_modality, a_series())
        []
        >>> issues_of(missing_modality, a_series(modality=""))
        ['no Modality in the header']

    References:
        DICOM PS3.3 C.7.3.1.1.1 Modality (0008,0060), Type 1
    """
    if series.format == "dicom" and not series.modality.strip():
        yield Issue(message="no Modality in the header", expected="a defined term, e.g. CT, MR, DX")
