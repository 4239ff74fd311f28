"""content/projection-image."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.image_type import PROJECTIONS
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.1.1.2")
def projection_image(
    stack: Stack,
    *,
    kinds: Annotated[
        tuple[str, ...], "values of Image Type that mean a projection or rendering"
    ] = PROJECTIONS,
    modalities: Annotated[tuple[str, ...], "modalities whose source images are slices"] = ("CT", "MR", "PT"),
) -> Issues:
    """The image is a projection or a rendering of other slices.

    Why it matters:
        A maximum intensity projection shows many depths in one pixel. Its values are not those of tissue
        at a place, and masks drawn on the slices do not fit it.

    What to do:
        Nothing; use the series that it was computed from.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(projection_image, a_stack())
        []
        >>> issues_of(projection_image, a_stack(image_type=("DERIVED", "SECONDARY", "MIP")))
        ['Image Type says MIP']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; C.8.3.1.1.1 MR Image Type: PROJECTION IMAGE
    """
    found = [k for k in kinds if k in {v.strip().upper() for v in stack.image_type[2:]}]
    if found and stack.modality in modalities:
        yield Issue(message=f"Image Type says {found[0]}", measured=found[0])
