"""geometry/missing-slices."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import gaps_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def missing_slices(
    stack: Stack,
    *,
    tolerance_share: Annotated[
        float, "how far from a whole multiple a gap may be, as a share of one slice"
    ] = 0.1,
) -> Issues:
    """A gap in the stack is a whole multiple of the usual distance: slices are missing.

    Why it matters:
        Stacked as they are, everything beyond the gap lies at the wrong height, and a lesion in the gap
        was never seen. Slices are never invented to fill it.

    What to do:
        Fetch the missing images from the archive; a transfer was probably cut short.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_slices, a_stack())
        []
        >>> issues_of(missing_slices, a_stack(positions_mm=(0, 2.5, 5, 10, 12.5)))
        ['1 slice is missing: 5.00 mm after slice 3, 2.50 mm elsewhere']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    holes = [(g, g.missing(tolerance_share)) for g in gaps_of(stack.positions_mm)]
    lost = sum(count for _, count in holes)
    if lost:
        first = next(g for g, count in holes if count)
        yield Issue(
            message=f"{lost} slice{' is' if lost == 1 else 's are'} missing: {first.mm:.2f} mm "
            f"after slice {first.after}, {first.usual_mm:.2f} mm elsewhere",
            measured=f"{first.mm:.4g}",
            expected=f"{first.usual_mm:.4g}",
            unit="mm",
        )
