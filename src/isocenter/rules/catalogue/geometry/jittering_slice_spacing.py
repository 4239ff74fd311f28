"""geometry/jittering-slice-spacing."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import gaps_of


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.2.1.1")
def jittering_slice_spacing(
    stack: Stack,
    *,
    tolerance_share: Annotated[
        float, "deviation from the usual gap, as a share of it, that is regular"
    ] = 0.01,
    tolerance_mm: Annotated[float, "deviation in mm that is regular however small the gap is"] = 0.01,
    limit_share: Annotated[float, "deviation from which on the spacing counts as uneven"] = 0.1,
) -> Issues:
    """The distance between slices varies a little.

    Why it matters:
        Positions written with few decimals vary like this and do no harm. Table movement or a patient's
        breathing vary like this too, and then each slice is a little off its place.

    What to do:
        Nothing, if the variation is that of rounding. Otherwise look at a coronal view for steps.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(jittering_slice_spacing, a_stack(positions_mm=(0, 3.2699999999, 6.54, 9.8100001)))
        []
        >>> issues_of(jittering_slice_spacing, a_stack(positions_mm=(0, 2, 4, 6.1)))
        ['the distance between slices varies by up to 0.1 mm around 2 mm']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    jitter = [
        g
        for g in gaps_of(stack.positions_mm)
        if not g.is_none
        and max(tolerance_share * g.usual_mm, tolerance_mm) < g.deviation_mm <= limit_share * g.usual_mm
    ]
    if jitter:
        worst = max(jitter, key=lambda g: g.deviation_mm)
        yield Issue(
            message=f"the distance between slices varies by up to {worst.deviation_mm:.2g} mm "
            f"around {worst.usual_mm:.4g} mm",
            measured=f"{worst.mm:.4g}",
            expected=f"{worst.usual_mm:.4g}",
            unit="mm",
        )
