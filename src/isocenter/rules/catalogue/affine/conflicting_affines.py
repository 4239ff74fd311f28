"""affine/conflicting-affines."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="NIfTI-1 qform and sform")
def conflicting_affines(
    stack: Stack,
    *,
    tolerance_voxels: Annotated[float, "difference at the corners that is rounding, in voxels"] = 0.1,
) -> Issues:
    """The file holds two affines that contradict each other.

    Why it matters:
        Some tools read the sform, others the qform. Where they differ, image and mask may have been
        placed by different ones, or left and right may be exchanged in one of them.

    What to do:
        Find out which one is right and write it to both. The sform is used here if its code is above 0.

    Examples:
        >>> from isocenter.testing.rules import a_nifti, issues_of
        >>> issues_of(conflicting_affines, a_nifti(affine_conflict_mm=0.01))
        []
        >>> issues_of(conflicting_affines, a_nifti(affine_conflict_mm=24.8))
        ['sform and qform place a corner 24.8 mm apart']

    References:
        NIfTI-1 standard, methods 2 and 3; Quaternion representation of rotation matrix
    """
    voxel = min((s for s in stack.spacing_mm if s > 0), default=1.0)
    if not stack.affine_conflict_mm <= tolerance_voxels * voxel:
        yield Issue(
            message=f"sform and qform place a corner {stack.affine_conflict_mm:.3g} mm apart",
            measured=f"{stack.affine_conflict_mm:.3g}",
            expected=f"at most {tolerance_voxels * voxel:.3g}",
            unit="mm",
        )
