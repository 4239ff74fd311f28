"""content/mosaic."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.1.1.2")
def mosaic(stack: Stack) -> Issues:
    """Many slices are tiles of one picture, and the header does not say where each tile lies.

    Why it matters:
        A Siemens mosaic is a whole volume at one time, drawn side by side. Taken for a slice, its
        geometry and its content are both wrong. Where the vendor's private header is there, the tiles are
        read as the slices they are; de-identification often removes it.

    What to do:
        Have the centre keep the private header of such images, or use a conversion to NIfTI that was made
        before it was removed.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mosaic, a_stack())
        []
        >>> issues_of(mosaic, a_stack(modality="MR", image_type=("ORIGINAL", "PRIMARY", "M", "MOSAIC")))
        ['Image Type says mosaic, and nothing says where the tiles lie']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; MOSAIC is a vendor's value
    """
    if not stack.multi_frame and "MOSAIC" in {v.strip().upper() for v in stack.image_type}:
        yield Issue(message="Image Type says mosaic, and nothing says where the tiles lie", measured="MOSAIC")
