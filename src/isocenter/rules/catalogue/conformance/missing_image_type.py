"""conformance/missing-image-type."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1.1.2")
def missing_image_type(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities whose objects must have an Image Type"] = (
        "CT",
        "MR",
        "PT",
        "NM",
        "DX",
        "MG",
    ),
) -> Issues:
    """The header does not say what kind of image it is.

    Why it matters:
        Localizers, projections, reformats and captures are told from source images by Image Type. Without
        it none of them is recognised, and a scout view may pass for a slice.

    What to do:
        Look at one picture of the source. If the images are what is wanted, keep them by a decision;
        otherwise fetch the originals.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_image_type, a_stack())
        []
        >>> issues_of(missing_image_type, a_stack(image_type=()))
        ['no Image Type in the header']
        >>> issues_of(missing_image_type, a_stack(modality="CR", image_type=()))
        []

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; Type 1 in C.8.2.1 CT, C.8.3.1 MR, C.8.9.4 PET
    """
    is_judged = stack.format == "dicom" and stack.modality in modalities
    if is_judged and not any(v.strip() for v in stack.image_type):
        yield Issue(message="no Image Type in the header", expected="e.g. ORIGINAL, PRIMARY")
