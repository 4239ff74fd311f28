"""conformance/mixed-signs."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.3")
def mixed_signs(stack: Stack) -> Issues:
    """Some slices store signed numbers and others unsigned ones.

    Why it matters:
        Every slice is read by its own header, so nothing is lost if the headers are right. But one device
        writes one way. Where a tool changed the attribute and not the numbers, values jump by 65536 or
        padding turns into tissue.

    What to do:
        Compare neighbouring slices after rescaling. If they agree, keep the stack by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_signs, a_stack())
        []
        >>> issues_of(mixed_signs, a_stack(all_signs=(0, 1)))
        ['signed and unsigned slices in one stack']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module: Pixel Representation (0028,0103)
    """
    if len(stack.all_signs) > 1:
        yield Issue(
            message="signed and unsigned slices in one stack",
            measured=str(len(stack.all_signs)),
            expected="1",
        )
