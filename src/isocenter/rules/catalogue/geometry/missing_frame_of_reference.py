"""geometry/missing-frame-of-reference."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.4.1")
def missing_frame_of_reference(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities whose slices lie in a frame of reference"] = (
        "CT",
        "MR",
        "PT",
        "NM",
    ),
) -> Issues:
    """The header does not say in which coordinate system the positions are.

    Why it matters:
        Within the stack they fit together. But whether a second image or a contour lies in the same system
        cannot be known, so nothing can be laid on this stack without a word from a person.

    What to do:
        De-identify again with a tool that replaces the UID instead of dropping it. Where several images of
        a case are known to be registered, say so with `assume_registered`.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_frame_of_reference, a_stack())
        []
        >>> issues_of(missing_frame_of_reference, a_stack(frame_of_reference=""))
        ['no Frame of Reference UID in the header']

    References:
        DICOM PS3.3 C.7.4.1 Frame of Reference Module: Frame of Reference UID (0020,0052), Type 1
    """
    is_judged = stack.format == "dicom" and stack.modality in modalities and bool(stack.affine)
    if is_judged and not stack.frame_of_reference:
        yield Issue(message="no Frame of Reference UID in the header")
