"""geometry/wide-slice-spacing."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Header rounding: what is written as 5 mm passes a limit of 5 mm.
_ROUNDING_MM = 1e-3


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def wide_slice_spacing(
    stack: Stack,
    *,
    limit_mm: Annotated[float, "largest accepted distance of slice centres along their normal"] = 5.0,
    modalities: Annotated[tuple[str, ...], "modalities that are judged"] = ("MR",),
) -> Issues:
    """Slice centres are too far apart along the stack normal.

    Why it matters:
        Structures thinner than the distance are seen on one slice or none, and three-dimensional shape is
        lost. What counts is thickness plus gap along the normal, whatever way the slices face. A NIfTI
        file does not say which axis was stacked, so the widest spacing is taken for it.

    What to do:
        Prefer a thinner series of the same examination. The limit is a policy. It may be raised for a task
        that is judged slice by slice, or picture by picture, in a protocol that is thick by design: cardiac
        short axis, brain function in thick slices, one class label for a whole examination. It should stand
        where shapes or volumes in three dimensions are learned. Look at what the rule removes, then write
        `screen: {options: {geometry/wide-slice-spacing: {limit_mm: 12}}}`, or give the rule the severity
        review (`screen.severity`) so that a person decides on each case.

    Examples:
        >>> from isocenter.testing.rules import a_nifti, a_stack, issues_of
        >>> issues_of(wide_slice_spacing, a_stack(modality="MR", slice_distance_mm=5.0))
        []
        >>> issues_of(wide_slice_spacing, a_stack(modality="MR", slice_distance_mm=6.5))
        ['6.5 mm between slice centres, more than 5 mm']
        >>> issues_of(wide_slice_spacing, a_nifti(modality="MR", spacing_mm=(1.0, 8.0, 1.0)))
        ['8 mm between slice centres, more than 5 mm']
        >>> issues_of(wide_slice_spacing, a_stack(modality="CT", slice_distance_mm=6.5))
        []

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation; Slice Thickness (0018,0050) is not
        the distance
        NIfTI-1 standard: pixdim, dim_info
    """
    distance = stack.slice_distance_mm
    if distance is None and stack.format != "dicom" and len(stack.spacing_mm) == len(stack.shape):
        sizes = zip(stack.spacing_mm, stack.shape, strict=True)
        distance = max((size for size, length in sizes if length > 1), default=None)
    if stack.modality in modalities and distance is not None and distance > limit_mm + _ROUNDING_MM:
        yield Issue(
            message=f"{distance:.4g} mm between slice centres, more than {limit_mm:g} mm",
            measured=f"{distance:.4g}",
            expected=f"at most {limit_mm:g}",
            unit="mm",
        )
