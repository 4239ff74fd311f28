"""content/without-pixels."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.3")
def without_pixels(stack: Stack) -> Issues:
    """The image has a header and no pixels.

    Why it matters:
        The pixels were stripped, or stayed behind when the header was copied. Nothing can be read.

    What to do:
        Fetch the objects again from the archive, with their pixel data.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(without_pixels, a_stack())
        []
        >>> issues_of(without_pixels, a_stack(has_pixels=False))
        ['no pixel data']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module: Pixel Data (7FE0,0010)
    """
    if not stack.has_pixels:
        yield Issue(message="no pixel data")
