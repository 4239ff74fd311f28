"""geometry/incomplete-axis."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.2.1.1")
def incomplete_axis(stack: Stack) -> Issues:
    """A point in time, an echo or a b-value lacks slices, or is not there at all.

    Why it matters:
        The volumes along a fourth axis are compared voxel by voxel. Where one of them is shorter, its
        slices are compared with their neighbours, and a curve over time has a jump that is not of the
        patient. A volume that is itself whole, beside a short one, is only noted.

    What to do:
        Fetch the whole series; an acquisition that was stopped early ends with a short volume, which can
        be left out.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> whole = a_stack(axis="time", axis_count=3, group="group-1", group_slices=(5, 5, 5))
        >>> issues_of(incomplete_axis, whole)
        []
        >>> short = a_stack(axis="time", axis_count=3, group="group-1", group_slices=(6, 6, 5))
        >>> issues_of(incomplete_axis, short)
        ['5 slices, where the fullest of the 3 stacks along the axis has 6']
        >>> lost = a_stack(axis="time", axis_count=3, group="group-1", temporal_positions=4)
        >>> issues_of(incomplete_axis, lost)
        ['4 points in time were acquired, 3 are here']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position; C.7.4.2 Number of Temporal Positions (0020,0105)
    """
    if not stack.group or not stack.axis:
        return
    most, count = max(stack.group_slices, default=0), len(stack.files)
    if count < most:
        yield Issue(
            message=f"{count} slices, where the fullest of the {stack.axis_count} stacks along the axis has {most}",
            measured=str(count),
            expected=str(most),
            unit="slices",
        )
    elif min(stack.group_slices, default=most) < most:
        yield Issue(
            message=f"another of the {stack.axis_count} stacks along the axis has fewer slices",
            severity=Severity.NOTE,
            measured=str(min(stack.group_slices)),
            expected=str(most),
            unit="slices",
        )
    made = stack.temporal_positions
    if stack.axis == "time" and made is not None and made > stack.axis_count:
        yield Issue(
            message=f"{made} points in time were acquired, {stack.axis_count} are here",
            measured=str(stack.axis_count),
            expected=str(made),
        )
