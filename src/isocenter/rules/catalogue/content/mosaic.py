"""content/mosaic."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.1.1.2")
def mosaic(stack: Stack) -> Issues:
    """Many slices are laid out as tiles in one picture.

    Why it matters:
        A Siemens mosaic is a whole volume at one time, drawn side by side. Taken for a slice, its
        geometry and its content are both wrong.

    What to do:
        Convert it with a tool that knows the vendor's private header, and use the NIfTI files.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mosaic, a_stack())
        []
        >>> issues_of(mosaic, a_stack(modality="MR", image_type=("ORIGINAL", "PRIMARY", "M", "MOSAIC")))
        ['Image Type says mosaic']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; MOSAIC is a vendor's value
    """
    if "MOSAIC" in {v.strip().upper() for v in stack.image_type}:
        yield Issue(message="Image Type says mosaic", measured="MOSAIC")
