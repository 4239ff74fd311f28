"""geometry/implausible-extent."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.2")
def implausible_extent(
    stack: Stack,
    *,
    max_plane_mm: Annotated[float, "largest accepted width or height of a slice"] = 1000.0,
    max_length_mm: Annotated[float, "largest accepted distance from the first to the last slice"] = 2500.0,
    modalities: Annotated[tuple[str, ...], "modalities that are judged"] = ("CT", "MR", "PT", "NM"),
) -> Issues:
    """The volume is larger than a person or a scanner.

    Why it matters:
        Each voxel may look right and the whole be impossible: a spacing in the wrong unit, a matrix that
        was enlarged without its spacing, or slices of two patients in one stack.

    What to do:
        Compare with the protocol, and correct the header at its source.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(implausible_extent, a_stack())
        []
        >>> issues_of(implausible_extent, a_stack(shape=(5, 2048, 2048)))
        ['a slice is 1638 mm by 1638 mm']
        >>> issues_of(implausible_extent, a_stack(positions_mm=(0, 2.5, 5, 4000)))
        ['4000 mm from the first to the last slice']

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module; 10.7.1.3 Pixel Spacing
    """
    if stack.format != "dicom" or stack.modality not in modalities:
        return
    length = abs(stack.positions_mm[-1] - stack.positions_mm[0]) if stack.positions_mm else 0.0
    if length > max_length_mm:
        yield Issue(
            message=f"{length:.0f} mm from the first to the last slice",
            measured=f"{length:.0f}",
            expected=f"at most {max_length_mm:g}",
            unit="mm",
        )
    if len(stack.shape) != 3 or len(stack.spacing_mm) != 3:
        return
    height, width = (n * size for n, size in zip(stack.shape[1:], stack.spacing_mm[1:], strict=True))
    if max(height, width) > max_plane_mm:
        yield Issue(
            message=f"a slice is {height:.0f} mm by {width:.0f} mm",
            measured=f"{max(height, width):.0f}",
            expected=f"at most {max_plane_mm:g}",
            unit="mm",
        )
