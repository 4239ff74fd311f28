"""geometry/gantry-tilt."""

from __future__ import annotations

import math
from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.2.1.1")
def gantry_tilt(
    stack: Stack,
    *,
    tolerance_deg: Annotated[float, "smallest tilt that is reported"] = 0.1,
    tolerance_mm: Annotated[float, "smallest displacement of the last slice that is reported"] = 0.1,
) -> Issues:
    """The slices are displaced within their plane, as a tilted gantry makes them.

    Why it matters:
        The volume is a sheared box. The exact affine is kept and stays right, but formats and tools that
        know only spacing and direction drop the shear and misplace voxels by centimetres.

    What to do:
        Nothing, if what reads the data uses the affine. Otherwise `standardise.tilt: resample` brings the
        slices onto a rectangular grid, and `standardise.tilt: reject` leaves such images out.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(gantry_tilt, a_stack())
        []
        >>> issues_of(gantry_tilt, a_stack(shear_mm=2.68))
        ['slices are tilted by 15.0 degrees against their stacking direction']

    References:
        DICOM PS3.3 C.7.6.2.1.1; the attribute Gantry/Detector Tilt (0018,1120) is nominal, so the angle
        is measured from the positions
    """
    if stack.format != "dicom" or len(stack.positions_mm) < 2:
        return
    height = abs(stack.positions_mm[-1] - stack.positions_mm[0])
    angle = math.degrees(math.atan2(stack.shear_mm, height))
    if stack.shear_mm > tolerance_mm and angle > tolerance_deg:
        yield Issue(
            message=f"slices are tilted by {angle:.1f} degrees against their stacking direction",
            measured=f"{angle:.2f}",
            expected="0",
            unit="degrees",
        )
