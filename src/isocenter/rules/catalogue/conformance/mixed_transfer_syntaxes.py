"""conformance/mixed-transfer-syntaxes."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.5 10.1")
def mixed_transfer_syntaxes(stack: Stack) -> Issues:
    """Slices of one stack are encoded in different ways.

    Why it matters:
        The values are the same after decoding, unless one of the ways loses something. But one device
        writes one way: a mixture shows that slices came by two paths, of which one may have changed more
        than the encoding.

    What to do:
        Nothing, if an archive is known to compress old images. Otherwise ask how the files were gathered.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_transfer_syntaxes, a_stack())
        []
        >>> mixed = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90")
        >>> issues_of(mixed_transfer_syntaxes, a_stack(all_transfer_syntaxes=mixed))
        ['2 transfer syntaxes in one stack']

    References:
        DICOM PS3.5 10.1 DICOM Default Transfer Syntax; PS3.6 Table A-1
    """
    count = len(stack.all_transfer_syntaxes)
    if count > 1:
        yield Issue(message=f"{count} transfer syntaxes in one stack", measured=str(count), expected="1")
