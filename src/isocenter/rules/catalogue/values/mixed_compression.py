"""values/mixed-compression."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Syntaxes that can only be lossy (PS3.5 Annex A.4): JPEG baseline, extended, and the retired progressive ones,
# near-lossless JPEG-LS. JPEG 2000 and HTJ2K may be either, and are judged by Lossy Image Compression alone.
_LOSSY = {
    *("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53"),
    *("1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.81"),
}


@rule(severity=Severity.REVIEW, clause="DICOM PS3.5 A.4")
def mixed_compression(stack: Stack) -> Issues:
    """Some slices were compressed with loss, and others were not.

    Why it matters:
        Compression with loss smooths noise and leaves edges of blocks. Where it changes from slice to
        slice, texture changes with it, and no examination did that.

    What to do:
        Find the slices as they were before compression, or leave the series out.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_compression, a_stack())
        []
        >>> both = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50")
        >>> issues_of(mixed_compression, a_stack(all_transfer_syntaxes=both))
        ['some slices were compressed with loss and others were not']

    References:
        DICOM PS3.5 A.4 Transfer Syntaxes for Encapsulation; PS3.3 C.7.6.1.1.5 Lossy Image Compression
    """
    lossy = _LOSSY.intersection(stack.all_transfer_syntaxes)
    if lossy and lossy != set(stack.all_transfer_syntaxes):
        yield Issue(message="some slices were compressed with loss and others were not")
