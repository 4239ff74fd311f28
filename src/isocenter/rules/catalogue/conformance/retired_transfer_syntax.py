"""conformance/retired-transfer-syntax."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PAPYRUS = "1.2.840.10008.1.20"
_JPEG = "1.2.840.10008.1.2.4."
_JPEG_PROCESSES = {*range(52, 57), *range(58, 67)}


def retired_syntaxes() -> set[str]:
    """Transfer syntaxes for images that the standard once had and has no more."""
    return {_BIG_ENDIAN, _PAPYRUS, *(f"{_JPEG}{n}" for n in _JPEG_PROCESSES)}


@rule(severity=Severity.NOTE, clause="DICOM PS3.6 A")
def retired_transfer_syntax(stack: Stack) -> Issues:
    """The image is encoded in a way that the standard has given up.

    Why it matters:
        Few programs still read it, fewer were tested on it, and a byte order or a JPEG process that is
        misread gives noise or, worse, an image that looks almost right.

    What to do:
        Look at the image once. Where the archive can, have it export the series as Explicit VR Little
        Endian.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(retired_transfer_syntax, a_stack())
        []
        >>> issues_of(retired_transfer_syntax, a_stack(all_transfer_syntaxes=("1.2.840.10008.1.2.2",)))
        ['a retired transfer syntax']

    References:
        DICOM PS3.6 A, Table A-1: UIDs marked as retired
    """
    if retired_syntaxes() & {stack.transfer_syntax_uid, *stack.all_transfer_syntaxes}:
        yield Issue(message="a retired transfer syntax")
