"""geometry/varying-orientation."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.2.1.1")
def varying_orientation(
    stack: Stack,
    *,
    tolerance: Annotated[float, "difference of direction cosines that is rounding"] = 1e-4,
) -> Issues:
    """The slices do not all face the same way.

    Why it matters:
        A volume has one direction per axis, that of the first slice. Where another slice is turned a
        little, its corners lie beside where the array has them, and the edge of a large image moves most.

    What to do:
        If the displacement at the edge is less than what matters for the task, keep the stack by a
        decision. Otherwise look for a second acquisition, or for a tool that rewrote some headers.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(varying_orientation, a_stack(orientation_residual=4e-7))
        []
        >>> issues_of(varying_orientation, a_stack(orientation_residual=9e-4, shape=(5, 512, 512)))
        ['the directions of slices differ by 0.0009: 0.37 mm at the edge of the image']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Orientation (0020,0037)
    """
    off = stack.orientation_residual
    if off <= tolerance:
        return
    sizes = zip(stack.spacing_mm[1:], stack.shape[1:], strict=False)
    edge_mm = max((size * length for size, length in sizes), default=0.0) * off
    yield Issue(
        message=f"the directions of slices differ by {off:.2g}: {edge_mm:.2g} mm at the edge of the image",
        measured=f"{off:.2g}",
        expected=f"at most {tolerance:g}",
    )
