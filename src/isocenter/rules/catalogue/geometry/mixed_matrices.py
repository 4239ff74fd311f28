"""geometry/mixed-matrices."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.3")
def mixed_matrices(series: Series) -> Issues:
    """Slices of one orientation have different numbers of rows or columns.

    Why it matters:
        They cannot be one array. Taken apart, each piece is a volume that ends where it should not.

    What to do:
        Look for two reconstructions under one series UID, and export them as series of their own.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(mixed_matrices, a_series())
        []
        >>> issues_of(mixed_matrices, a_series(n_matrices=2))
        ['2 matrix sizes among slices that belong together']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module: Rows (0028,0010), Columns (0028,0011)
    """
    if series.n_matrices > 1:
        yield Issue(
            message=f"{series.n_matrices} matrix sizes among slices that belong together",
            measured=str(series.n_matrices),
            expected="1",
        )
