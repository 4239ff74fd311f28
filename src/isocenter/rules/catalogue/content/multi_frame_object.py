"""content/multi-frame-object."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.16")
def multi_frame_object(stack: Stack) -> Issues:
    """One object holds many frames.

    Why it matters:
        Enhanced objects keep geometry and scaling of every frame in nested sequences, and cine objects
        hold time instead of space. Read as if the frames were slices in order, either gives a volume that
        looks right and is wrong. This version reads classic objects of one frame.

    What to do:
        Export the series as classic single-frame objects; most archives can.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(multi_frame_object, a_stack())
        []
        >>> issues_of(multi_frame_object, a_stack(multi_frame=True))
        ['an object of many frames']

    References:
        DICOM PS3.3 C.7.6.16 Multi-frame Functional Groups Module; C.7.6.6 Multi-frame Module
    """
    if stack.multi_frame:
        yield Issue(message="an object of many frames")
