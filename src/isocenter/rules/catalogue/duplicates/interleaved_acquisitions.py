"""duplicates/interleaved-acquisitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import SAME_MM, Gap, gaps_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def interleaved_acquisitions(
    stack: Stack,
    *,
    tolerance_share: Annotated[float, "how much gaps of one kind may differ, as a share of the whole"] = 0.02,
    min_gaps: Annotated[int, "fewest gaps that show a pattern"] = 5,
) -> Issues:
    """The gaps alternate between two lengths: two acquisitions lie within each other.

    Why it matters:
        Every second slice belongs to another acquisition of the same place, taken at another time and
        slightly shifted. As one array it shows every structure twice, with steps where the patient moved.

    What to do:
        Find the attribute in which every second slice differs, and export the two as series of their own.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(interleaved_acquisitions, a_stack(positions_mm=(0, 2.5, 5, 7.5, 10, 12.5, 15)))
        []
        >>> issues_of(interleaved_acquisitions, a_stack(positions_mm=(0, 1.1, 2.5, 3.6, 5, 6.1, 7.5)))
        ['gaps of 1.1 mm and 1.4 mm take turns: two acquisitions of 2.5 mm within each other']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    gaps = gaps_of(stack.positions_mm)
    if len(gaps) < min_gaps or any(g.is_none for g in gaps):
        return
    first, second = gaps[0].mm, gaps[1].mm
    rounding = max(tolerance_share * (first + second), SAME_MM)
    if not abs(first - second) > 2 * rounding:
        return
    if _are_alike(gaps[0::2], rounding) and _are_alike(gaps[1::2], rounding):
        low, high = sorted((first, second))
        yield Issue(
            message=f"gaps of {low:.3g} mm and {high:.3g} mm take turns: two acquisitions of "
            f"{first + second:.4g} mm within each other",
            measured=f"{low:.4g}",
            expected=f"{first + second:.4g}",
            unit="mm",
        )


def _are_alike(gaps: Sequence[Gap], tolerance_mm: float) -> bool:
    return all(abs(g.mm - gaps[0].mm) <= tolerance_mm for g in gaps)
