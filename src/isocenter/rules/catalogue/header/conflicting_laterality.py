"""header/conflicting-laterality."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.11.2")
def conflicting_laterality(stack: Stack) -> Issues:
    """The image and its series name different sides of the body.

    Why it matters:
        Image Laterality is written by the device for each exposure, Laterality often once for the series. Where
        they differ, a label of a side may be on the wrong picture.

    What to do:
        Look at the marker in the picture and correct the header. The side of the image is used until then.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> side = Attribute(name="laterality", value="L")
        >>> issues_of(conflicting_laterality, a_stack(modality="MG", attributes=(side,)))
        []
        >>> other = Attribute(name="laterality_of_series", value="R")
        >>> issues_of(conflicting_laterality, a_stack(modality="MG", attributes=(side, other)))
        ['the image is of side L, its series of side R']

    References:
        DICOM PS3.3 C.8.11.2 DX Anatomy Imaged: Image Laterality (0020,0062); C.7.3.1 Laterality (0020,0060)
    """
    image, series = stack.attribute("laterality"), stack.attribute("laterality_of_series")
    if series and image != series:
        yield Issue(
            message=f"the image is of side {image}, its series of side {series}",
            measured=image,
            expected=series,
        )
