"""geometry/mixed-pixel-spacings."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 10.7.1.3")
def mixed_pixel_spacings(series: Series) -> Issues:
    """Slices of one orientation have different pixel spacings.

    Why it matters:
        Stacked as they are, a part of the patient is shrunk. Taken apart, each piece is a volume that
        ends where it should not.

    What to do:
        Look for two reconstructions with different fields of view under one series UID, and export them
        as series of their own.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(mixed_pixel_spacings, a_series())
        []
        >>> issues_of(mixed_pixel_spacings, a_series(n_pixel_spacings=2))
        ['2 pixel spacings among slices that belong together']

    References:
        DICOM PS3.3 10.7.1.3 Pixel Spacing; C.7.6.2 Image Plane Module
    """
    count = series.n_pixel_spacings
    if count > 1:
        yield Issue(
            message=f"{count} pixel spacings among slices that belong together",
            measured=str(count),
            expected="1",
        )
