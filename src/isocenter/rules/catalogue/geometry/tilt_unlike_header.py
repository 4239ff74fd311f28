"""geometry/tilt-unlike-header."""

from __future__ import annotations

import math
from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.2.1")
def tilt_unlike_header(
    stack: Stack,
    *,
    tolerance_deg: Annotated[float, "difference of the angles that is let through"] = 1.0,
) -> Issues:
    """The tilt that the header names is not the one that the positions show.

    Why it matters:
        The positions are what counts, and are used. But a tilt in the header without one in the positions
        is either a volume that was straightened, and so interpolated, or one whose positions a tool
        rewrote as if there had been no tilt: then everything is sheared.

    What to do:
        Look at a sagittal view: a face that leans backwards was sheared.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(tilt_unlike_header, a_stack(gantry_tilt_deg=-15.0, shear_mm=2.68))
        []
        >>> issues_of(tilt_unlike_header, a_stack(gantry_tilt_deg=-15.0))
        ['the header names a tilt of 15.0 degrees, the positions show 0.0']

    References:
        DICOM PS3.3 C.8.2.1 CT Image Module: Gantry/Detector Tilt (0018,1120) is nominal
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    if stack.gantry_tilt_deg is None or len(stack.positions_mm) < 2 or stack.modality != "CT":
        return
    height = abs(stack.positions_mm[-1] - stack.positions_mm[0])
    seen, named = math.degrees(math.atan2(stack.shear_mm, height)), abs(stack.gantry_tilt_deg)
    if abs(seen - named) > tolerance_deg:
        yield Issue(
            message=f"the header names a tilt of {named:.1f} degrees, the positions show {seen:.1f}",
            measured=f"{seen:.2f}",
            expected=f"{named:.2f}",
            unit="degrees",
        )
