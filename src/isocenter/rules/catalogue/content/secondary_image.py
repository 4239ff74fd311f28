"""content/secondary-image."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1.1.2")
def secondary_image(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities of which the source images are wanted"] = ("CT", "MR"),
) -> Issues:
    """The image was made after the examination, not by it.

    Why it matters:
        SECONDARY covers reformats, subtractions, parameter maps and renderings, but also source images
        that a tool wrote anew. The tag cannot tell them apart, so a person decides. DERIVED alone is not
        reported: reconstructions and diffusion maps are derived, and PET commonly is both.

    What to do:
        Look at one picture per source and decide for all of them, or lower the severity to note.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(secondary_image, a_stack(image_type=("DERIVED", "PRIMARY", "AXIAL")))
        []
        >>> issues_of(secondary_image, a_stack(image_type=("DERIVED", "SECONDARY", "AXIAL")))
        ['Image Type says SECONDARY']
        >>> issues_of(secondary_image, a_stack(modality="PT", image_type=("DERIVED", "SECONDARY")))
        []

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type, value 2: Patient Examination Characteristics
    """
    if stack.modality in modalities and [v.strip().upper() for v in stack.image_type[1:2]] == ["SECONDARY"]:
        yield Issue(message="Image Type says SECONDARY", measured="SECONDARY", expected="PRIMARY")
