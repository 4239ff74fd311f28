"""identity/missing-uids."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.3.1")
def missing_uids(stack: Stack) -> Issues:
    """The files do not say which study, series or object they are.

    Why it matters:
        What belongs together is known from these identifiers alone. Without them files are grouped by
        other signs, copies cannot be told from repeats, and no annotation can name its image.

    What to do:
        De-identify again with a tool that replaces UIDs instead of emptying them. If the stack is complete
        and of one series, keep it by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_uids, a_stack())
        []
        >>> issues_of(missing_uids, a_stack(absent=("SOPInstanceUID", "SeriesInstanceUID")))
        ['SeriesInstanceUID and SOPInstanceUID are missing']

    References:
        DICOM PS3.3 C.7.3.1 General Series Module; C.7.2.1, C.12.1: the UIDs are Type 1
        DICOM PS3.15 E.1: UIDs are replaced consistently
    """
    lacking = [name for name in _UIDS if name in stack.absent]
    if stack.format == "dicom" and lacking:
        verb = "is" if len(lacking) == 1 else "are"
        yield Issue(
            message=f"{' and '.join(lacking)} {verb} missing", measured=f"{len(lacking)}", expected="0"
        )
