"""affine/sheared-axes."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="NIfTI-1 method 3")
def sheared_axes(
    stack: Stack,
    *,
    tolerance_deg: Annotated[float, "deviation from a right angle that is rounding"] = 0.1,
) -> Issues:
    """The axes of the affine are not at right angles.

    Why it matters:
        The exact affine is kept and stays right, but tools that know only spacing and direction drop the
        shear and misplace voxels. It comes from a tilted gantry, or from an affine registration that was
        written into the header.

    What to do:
        Nothing, if what reads the data uses the affine. Otherwise resample to a spacing, which gives a
        rectangular grid.

    Examples:
        >>> from isocenter.testing.rules import a_nifti, issues_of
        >>> issues_of(sheared_axes, a_nifti())
        []
        >>> sheared = (1, 0, 0.5, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1)
        >>> issues_of(sheared_axes, a_nifti(affine=sheared))
        ['axes are 14.0 degrees off a right angle']

    References:
        NIfTI-1 standard, method 3: the sform may hold any affine, the qform rotations only
    """
    if stack.format == "dicom" or len(stack.affine) != 16:
        return
    axes = np.array(stack.affine, dtype=np.float64).reshape(4, 4)[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if not np.isfinite(axes).all() or not lengths.all():
        return  # a degenerate affine has no angles
    axes = axes / lengths
    cosine = max(abs(float(axes[:, a] @ axes[:, b])) for a, b in ((0, 1), (0, 2), (1, 2)))
    angle = float(np.degrees(np.arcsin(min(cosine, 1.0))))
    if angle > tolerance_deg:
        yield Issue(
            message=f"axes are {angle:.1f} degrees off a right angle",
            measured=f"{angle:.2f}",
            expected=f"at most {tolerance_deg:g}",
            unit="degrees",
        )
