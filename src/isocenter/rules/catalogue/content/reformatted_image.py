"""content/reformatted-image."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.image_type import REFORMATS
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.1.1.2")
def reformatted_image(
    stack: Stack,
    *,
    kinds: Annotated[tuple[str, ...], "values of Image Type that mean reformatted slices"] = REFORMATS,
) -> Issues:
    """The slices were computed from other slices.

    Why it matters:
        They were interpolated once already, and the series they come from is likely in the archive as
        well: two pictures of one acquisition.

    What to do:
        Prefer the source series (`channels.*.prefer`), or keep these on purpose.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(reformatted_image, a_stack())
        []
        >>> issues_of(reformatted_image, a_stack(image_type=("DERIVED", "PRIMARY", "MPR")))
        ['Image Type says MPR']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; C.8.3.1.1.1 MR Image Type: MPR
    """
    found = [k for k in kinds if k in {v.strip().upper() for v in stack.image_type[2:]}]
    if found:
        yield Issue(message=f"Image Type says {found[0]}", measured=found[0])
