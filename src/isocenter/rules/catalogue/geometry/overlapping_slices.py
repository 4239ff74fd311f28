"""geometry/overlapping-slices."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.2")
def overlapping_slices(
    stack: Stack,
    *,
    max_overlap_share: Annotated[float, "largest accepted overlap, as a share of the slice thickness"] = 0.75,
    modalities: Annotated[tuple[str, ...], "modalities that are judged"] = ("CT", "MR"),
) -> Issues:
    """Neighbouring slices show almost the same tissue.

    Why it matters:
        An overlap of a half is usual. Far more means thick slices at many places: the volume looks finer
        than it is, small structures are blurred over several slices, or the thickness has the wrong unit.

    What to do:
        Nothing, if this is the protocol; know it when resolution matters.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(overlapping_slices, a_stack(slice_thickness_mm=5.0))
        []
        >>> issues_of(overlapping_slices, a_stack(slice_thickness_mm=25.0))
        ['slices of 25 mm lie 2.5 mm apart']

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module: Slice Thickness (0018,0050) is not the distance
    """
    distance, thickness = stack.slice_distance_mm, stack.slice_thickness_mm
    if stack.modality not in modalities or not distance or not thickness or thickness < 0:
        return
    least = thickness * (1 - max_overlap_share)
    if distance < least * 0.999:
        yield Issue(
            message=f"slices of {thickness:.3g} mm lie {distance:.3g} mm apart",
            measured=f"{distance:.4g}",
            expected=f"at least {least:.4g}",
            unit="mm",
        )
