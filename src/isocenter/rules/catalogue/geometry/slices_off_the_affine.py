"""geometry/slices-off-the-affine."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import gaps_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def slices_off_the_affine(
    stack: Stack,
    *,
    tolerance_mm: Annotated[float, "distance that is rounding however small the voxels are"] = 0.1,
    tolerance_voxels: Annotated[float, "distance that is rounding, in voxels"] = 0.1,
    limit_voxels: Annotated[float, "distance up to which a person may decide, in voxels"] = 0.5,
    uneven_share: Annotated[float, "gaps that deviate more are left to the rules on spacing"] = 0.1,
) -> Issues:
    """A slice does not lie where one affine for the whole stack puts it.

    Why it matters:
        A volume has one affine. Where slices wander sideways or drift along the normal, the array shows
        them in line, and masks drawn in the patient land beside what they mark. Where gaps are uneven,
        which is reported by its own name, only the way sideways counts: resampling to even gaps
        (`standardise.uneven`, `standardise.gaps`) moves no slice within its plane.

    What to do:
        Look for two acquisitions in one series, or for slices whose origin was changed by cropping.

    Examples:
        >>> from dataclasses import replace
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(slices_off_the_affine, a_stack(affine_residual_mm=0.004))
        []
        >>> issues_of(slices_off_the_affine, a_stack(affine_residual_mm=1.9))
        ['a slice lies 1.9 mm from where the affine puts it']
        >>> uneven = a_stack(positions_mm=(0, 1, 2, 3.5), affine_residual_mm=1.9)
        >>> issues_of(slices_off_the_affine, uneven)
        []
        >>> issues_of(slices_off_the_affine, replace(uneven, lateral_residual_mm=1.2))
        ['a slice lies 1.2 mm beside the line along which the others are stacked']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation, equation C.7.6.2.1-1
    """
    is_uneven = any(g.deviation_mm > uneven_share * g.usual_mm for g in gaps_of(stack.positions_mm))
    residual = stack.lateral_residual_mm if is_uneven else stack.affine_residual_mm
    voxel = min((s for s in stack.spacing_mm if s > 0), default=0.0)
    tolerance = max(tolerance_mm, tolerance_voxels * voxel)
    if not residual <= tolerance:
        off = (
            "beside the line along which the others are stacked"
            if is_uneven
            else "from where the affine puts it"
        )
        yield Issue(
            message=f"a slice lies {residual:.2g} mm {off}",
            severity=Severity.REVIEW if residual <= limit_voxels * voxel else None,
            measured=f"{residual:.3g}",
            expected=f"at most {tolerance:.3g}",
            unit="mm",
        )
