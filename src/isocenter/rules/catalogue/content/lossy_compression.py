"""content/lossy-compression."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Transfer syntaxes that cannot be lossless: JPEG baseline and extended, JPEG-LS near-lossless.
_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.1.1.5")
def lossy_compression(stack: Stack) -> Issues:
    """The image was compressed with loss, now or at some time before.

    Why it matters:
        Fine texture is gone and blocks or ripples took its place. If only one centre or one class was
        compressed, a network may tell them apart by that.

    What to do:
        Compare compression between centres and classes; prefer the originals where they exist.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(lossy_compression, a_stack())
        []
        >>> issues_of(lossy_compression, a_stack(is_lossy=True))
        ['compressed with loss']

    References:
        DICOM PS3.3 C.7.6.1.1.5 Lossy Image Compression (0028,2110): stays 01 after decompression
    """
    if stack.is_lossy or stack.transfer_syntax_uid in _LOSSY:
        yield Issue(message="compressed with loss")
