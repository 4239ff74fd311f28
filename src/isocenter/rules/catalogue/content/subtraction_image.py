"""content/subtraction-image."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1.1.2")
def subtraction_image(
    stack: Stack,
    *,
    kinds: Annotated[tuple[str, ...], "values of Image Type that mean a difference of two images"] = (
        "SUB",
        "SUBTRACT",
        "SUBTRACTED",
        "SUBTRACTION",
    ),
    modalities: Annotated[tuple[str, ...], "modalities that are judged"] = ("CT", "MR"),
) -> Issues:
    """The image is the difference of two others.

    Why it matters:
        Its values are changes, such as the uptake of contrast, not tissue: a CT difference is not in
        Hounsfield units of anything, and whatever moved between the two shows as an edge.

    What to do:
        Use the images that were subtracted, unless the difference is what is wanted.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(subtraction_image, a_stack())
        []
        >>> issues_of(subtraction_image, a_stack(image_type=("DERIVED", "PRIMARY", "SUBTRACT")))
        ['Image Type says SUBTRACT']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; C.8.3.1.1.1 and C.8.16.1.1.3: SUBTRACT, SUBTRACTION
    """
    found = [k for k in kinds if k in {v.strip().upper() for v in stack.image_type[2:]}]
    if found and stack.modality in modalities:
        yield Issue(message=f"Image Type says {found[0]}", measured=found[0])
