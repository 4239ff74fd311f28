"""geometry/repeated-positions."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import SAME_MM, gaps_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def repeated_positions(stack: Stack) -> Issues:
    """Slices lie at the same position.

    Why it matters:
        Two pictures of one place are two acquisitions, phases or echoes that nothing tells apart. Laid on
        top of each other they make a stack of twice the height, and dropping either would be a guess.

    What to do:
        Look for the attribute in which they differ. Identical copies were dropped before, so these
        pictures are different.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(repeated_positions, a_stack())
        []
        >>> issues_of(repeated_positions, a_stack(positions_mm=(0, 2.5, 2.5, 5)))
        ['1 slice lies where another does, the first after slice 2']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    repeats = [g for g in gaps_of(stack.positions_mm) if g.is_none]
    if repeats:
        yield Issue(
            message=f"{len(repeats)} slice{' lies' if len(repeats) == 1 else 's lie'} where another does, "
            f"the first after slice {repeats[0].after}",
            measured=f"{repeats[0].mm:.4g}",
            expected=f"at least {SAME_MM}",
            unit="mm",
        )
