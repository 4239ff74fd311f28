"""geometry/non-square-pixels."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 10.7.1.3")
def non_square_pixels(
    stack: Stack,
    *,
    tolerance_share: Annotated[float, "difference of the two spacings that is let through, as a share"] = 0.2,
) -> Issues:
    """Rows and columns of the slices are far from equally spaced.

    Why it matters:
        Scanners seldom make such pixels. The two spacings are often swapped, by hand or by a tool, and an
        array that is shown or augmented without them is stretched.

    What to do:
        Compare one slice with a viewer: round things should be round.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(non_square_pixels, a_stack())
        []
        >>> issues_of(non_square_pixels, a_stack(spacing_mm=(2.5, 0.8, 0.5)))
        ['0.8 mm between rows, 0.5 mm between columns']

    References:
        DICOM PS3.3 10.7.1.3 Pixel Spacing Value Order: the row spacing comes first
    """
    if stack.format != "dicom" or len(stack.spacing_mm) != 3:
        return
    rows, columns = stack.spacing_mm[1:]
    if abs(rows - columns) > tolerance_share * max(rows, columns):
        yield Issue(
            message=f"{rows:.4g} mm between rows, {columns:.4g} mm between columns",
            measured=f"{columns:.4g}",
            expected=f"{rows:.4g}",
            unit="mm",
        )
