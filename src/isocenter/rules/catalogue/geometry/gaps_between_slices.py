"""geometry/gaps-between-slices."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.2")
def gaps_between_slices(
    stack: Stack,
    *,
    max_gap_share: Annotated[float, "largest accepted gap, as a share of the slice thickness"] = 0.5,
    modalities: Annotated[tuple[str, ...], "modalities that are judged"] = ("CT", "MR"),
) -> Issues:
    """Much of the anatomy between the slices was never imaged.

    Why it matters:
        Where the distance of the slices is much more than their thickness, each slice says nothing about
        what lies between it and the next. Volumes measured on such a stack are extrapolated.

    What to do:
        Nothing, if this is the protocol; know it when sizes matter. Overlapping slices are not reported.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(gaps_between_slices, a_stack(slice_thickness_mm=2.0))
        []
        >>> issues_of(gaps_between_slices, a_stack(slice_thickness_mm=1.0))
        ['slices of 1 mm lie 2.5 mm apart']

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module: Slice Thickness (0018,0050) is nominal
    """
    distance, thickness = stack.slice_distance_mm, stack.slice_thickness_mm
    if stack.modality not in modalities or distance is None or not thickness or thickness < 0:
        return
    if distance > thickness * (1 + max_gap_share) * 1.001:
        yield Issue(
            message=f"slices of {thickness:.3g} mm lie {distance:.3g} mm apart",
            measured=f"{distance:.4g}",
            expected=f"at most {thickness * (1 + max_gap_share):.4g}",
            unit="mm",
        )
