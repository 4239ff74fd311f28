"""header/inconsistent-modality."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.3.1")
def inconsistent_modality(series: Series) -> Issues:
    """Images of one series name different modalities.

    Why it matters:
        Modality is an attribute of the series, so at least one file is wrong, and its values would be
        read in the wrong unit.

    What to do:
        Look for a series UID that was used twice, for instance by a tool that merged CT and PET.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(inconsistent_modality, a_series())
        []
        >>> issues_of(inconsistent_modality, a_series(n_modalities=2))
        ['2 modalities in one series']

    References:
        DICOM PS3.3 C.7.3.1 General Series Module
    """
    if series.n_modalities > 1:
        yield Issue(
            message=f"{series.n_modalities} modalities in one series",
            measured=str(series.n_modalities),
            expected="1",
        )
