"""values/mixed-photometrics."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.3.1.2")
def mixed_photometrics(series: Series) -> Issues:
    """Slices that belong together say differently what their pixels mean.

    Why it matters:
        MONOCHROME1 and MONOCHROME2 are opposite scales of grey. In one series, a part of the slices may
        be inverted, or a colour picture sits among measured values.

    What to do:
        Find out which slices were processed by another tool, and export the series again.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(mixed_photometrics, a_series())
        []
        >>> issues_of(mixed_photometrics, a_series(n_photometrics=2))
        ['2 photometric interpretations among slices that belong together']

    References:
        DICOM PS3.3 C.7.6.3.1.2 Photometric Interpretation
    """
    if series.n_photometrics > 1:
        yield Issue(
            message=f"{series.n_photometrics} photometric interpretations among slices that belong together",
            measured=str(series.n_photometrics),
            expected="1",
        )
