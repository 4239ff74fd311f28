"""geometry/unknown-geometry."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2")
def unknown_geometry(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities whose slices must say where they lie"] = (
        "CT",
        "MR",
        "PT",
        "NM",
    ),
) -> Issues:
    """The header does not say where the slices lie in the patient.

    Why it matters:
        Without position, orientation and pixel spacing, the order of the slices, their distance and left
        and right are guesses, and no mask or second image can be laid on them.

    What to do:
        Export the series again from the archive, as objects of its own modality rather than as secondary
        captures. There is nothing to repair in the file.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(unknown_geometry, a_stack())
        []
        >>> issues_of(unknown_geometry, a_stack(affine=()))
        ['position, orientation or spacing of the slices is not known']
        >>> issues_of(unknown_geometry, a_stack(affine=(), modality="DX"))
        []

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module
    """
    is_placed = stack.affine and stack.orientation_code != "none"
    if stack.format == "dicom" and stack.modality in modalities and not is_placed:
        yield Issue(message="position, orientation or spacing of the slices is not known")
