"""content/multi-frame-object."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.16")
def multi_frame_object(stack: Stack) -> Issues:
    """One object holds many frames, and the header does not say what each of them is.

    Why it matters:
        Enhanced objects keep place and scaling of every frame in nested sequences, and are read by them.
        Cine objects and multi-frame captures have none: their frames are moments, or pages. Read as if
        they were slices in order, they give a volume that looks right and is wrong.

    What to do:
        Use the series that the object was made from, or export it as an enhanced or classic object.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(multi_frame_object, a_stack())
        []
        >>> issues_of(multi_frame_object, a_stack(multi_frame=True))
        ['an object of many frames that nothing describes']
        >>> issues_of(multi_frame_object, a_stack(multi_frame=True, frames=(0, 1, 2, 3, 4)))
        []

    References:
        DICOM PS3.3 C.7.6.16 Multi-frame Functional Groups Module; C.7.6.6 Multi-frame Module
    """
    # described frames are listed by number, or are one of several along an axis
    is_described = any(stack.frames) or bool(stack.axis)
    if stack.format == "dicom" and stack.multi_frame and not is_described:
        yield Issue(message="an object of many frames that nothing describes")
