"""content/localizer."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.image_type import LOCALIZERS
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.1.1.2")
def localizer(
    stack: Stack,
    *,
    words: Annotated[
        tuple[str, ...], "words within a value of Image Type that mean a localizer"
    ] = LOCALIZERS,
) -> Issues:
    """The image is a localizer: a quick view by which the examination was planned.

    Why it matters:
        It has another resolution, few slices and often another orientation. Mixed into a volume it spoils
        the spacing of all slices; alone it passes for a bad examination.

    What to do:
        Nothing. MR localizers that do not say so are mostly caught by `geometry/wide-slice-spacing` and
        `geometry/too-few-slices`.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(localizer, a_stack())
        []
        >>> issues_of(localizer, a_stack(image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")))
        ['Image Type says localizer']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; C.8.2.1.1.1 and C.8.3.1.1.1, value 3
    """
    kinds = " ".join(stack.image_type).upper()
    if any(word in kinds for word in words):
        yield Issue(message="Image Type says localizer", measured="localizer")
