"""content/colour-image."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_GREY = {"", "MONOCHROME1", "MONOCHROME2"}


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.3.1.2")
def colour_image(stack: Stack) -> Issues:
    """The pixels are colours, not measured values.

    Why it matters:
        Colour comes from fusion images, renderings, photographs and captures. Its numbers have no unit,
        and palette colours are not even ordered.

    What to do:
        Use the grey-scale series that the picture was made from. Colour images are not read in this
        version.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(colour_image, a_stack())
        []
        >>> issues_of(colour_image, a_stack(samples=3, photometric="RGB"))
        ['3 samples per pixel']
        >>> issues_of(colour_image, a_stack(photometric="PALETTE COLOR"))
        ['palette colours: each number is the place of a colour in a table']
        >>> issues_of(colour_image, a_stack(photometric="HSV"))
        ['the pixels are not values of grey']

    References:
        DICOM PS3.3 C.7.6.3.1.1 Samples per Pixel; C.7.6.3.1.2 Photometric Interpretation
    """
    if stack.samples > 1:
        yield Issue(message=f"{stack.samples} samples per pixel", measured=str(stack.samples), expected="1")
    elif stack.photometric.strip().upper() == "PALETTE COLOR":
        yield Issue(
            message="palette colours: each number is the place of a colour in a table",
            measured="PALETTE COLOR",
            expected="MONOCHROME2",
        )
    elif stack.photometric.strip().upper() not in _GREY:
        yield Issue(message="the pixels are not values of grey")
