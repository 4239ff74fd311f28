"""geometry/uneven-slice-spacing."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import gaps_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def uneven_slice_spacing(
    stack: Stack,
    *,
    tolerance_share: Annotated[
        float, "deviation from the usual gap, as a share of it, that is let through"
    ] = 0.1,
    tolerance_mm: Annotated[float, "deviation in mm that is let through however small the gap is"] = 0.01,
) -> Issues:
    """Slices are not evenly spaced along the stack normal.

    Why it matters:
        A volume has one spacing per axis, so an uneven stack is distorted the moment it becomes an array:
        shapes, sizes and masks are wrong by whole slices.

    What to do:
        Look for two acquisitions under one series, or for slices that were lost on the way. Gaps that are
        whole multiples of the usual one are reported as missing slices instead, and deviations of up to a
        tenth as jitter.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(uneven_slice_spacing, a_stack(positions_mm=(0, 3.2699999999, 6.54, 9.8100001)))
        []
        >>> issues_of(uneven_slice_spacing, a_stack(positions_mm=(0, 1, 2, 3.5)))
        ['1 of 3 gaps is uneven: 1.50 mm after slice 3, 1.00 mm elsewhere']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    gaps = gaps_of(stack.positions_mm)
    uneven = [
        g
        for g in gaps
        if not g.is_none
        and not g.missing(tolerance_share)
        and g.deviation_mm > max(tolerance_share * g.usual_mm, tolerance_mm)
    ]
    if uneven:
        worst = max(uneven, key=lambda g: g.deviation_mm)
        yield Issue(
            message=f"{len(uneven)} of {len(gaps)} gaps {'is' if len(uneven) == 1 else 'are'} uneven: "
            f"{worst.mm:.2f} mm after slice {worst.after}, {worst.usual_mm:.2f} mm elsewhere",
            measured=f"{worst.mm:.4g}",
            expected=f"{worst.usual_mm:.4g}",
            unit="mm",
        )
