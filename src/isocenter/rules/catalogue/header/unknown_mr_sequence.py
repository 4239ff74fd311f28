"""header/unknown-mr-sequence."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.3.1")
def unknown_mr_sequence(stack: Stack) -> Issues:
    """The header of a source MR image holds neither echo time nor repetition time.

    Why it matters:
        T1, T2 and their kin are told apart by these times; the description of a series is free text. With
        neither, images of different contrast cannot be kept apart, nor a mixture be seen.

    What to do:
        Ask the centre to keep the acquisition parameters when it de-identifies: they name nobody.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> times = (Attribute(name="echo_time_ms", value="104"),)
        >>> issues_of(unknown_mr_sequence, a_stack(modality="MR", attributes=times))
        []
        >>> bare = (Attribute(name="manufacturer", value="ACME"),)
        >>> issues_of(unknown_mr_sequence, a_stack(modality="MR", attributes=bare))
        ['neither echo time nor repetition time in the header']

    References:
        DICOM PS3.3 C.8.3.1 MR Image Module: Repetition Time (0018,0080) and Echo Time (0018,0081), Type 2
    """
    is_source = [v.strip().upper() for v in stack.image_type[:1]] == ["ORIGINAL"]
    # objects of many frames name the times for each frame
    if stack.format != "dicom" or stack.modality != "MR" or stack.multi_frame:
        return
    if not is_source or not stack.attributes:
        return
    if not stack.attribute("echo_time_ms") and not stack.attribute("repetition_time_ms"):
        yield Issue(message="neither echo time nor repetition time in the header")
