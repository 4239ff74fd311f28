"""values/mixed-bit-depths."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.3")
def mixed_bit_depths(series: Series) -> Issues:
    """Slices that belong together store their values with different numbers of bits.

    Why it matters:
        One reconstruction writes one depth. Two depths in a series are a sign of two sources, of slices
        that were processed again, or of clipped values in a part of the volume.

    What to do:
        Look at the values of both parts after rescaling. If they agree, keep the series by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(mixed_bit_depths, a_series())
        []
        >>> issues_of(mixed_bit_depths, a_series(n_bits_stored=2))
        ['2 bit depths among slices that belong together']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module: Bits Stored (0028,0101)
    """
    if series.n_bits_stored > 1:
        yield Issue(
            message=f"{series.n_bits_stored} bit depths among slices that belong together",
            measured=str(series.n_bits_stored),
            expected="1",
        )
