"""conformance/repeated-elements."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.5 7.1")
def repeated_elements(stack: Stack) -> Issues:
    """Headers hold an attribute several times, with one value.

    Why it matters:
        An attribute stands in a header once. These say the same each time, so nothing is in doubt; a file in
        which they differ is refused, for tools believe the first or the last of them as they happen to read.

    What to do:
        Nothing here. Tell whoever wrote the files: the next one may write two different values.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(repeated_elements, a_stack())
        []
        >>> issues_of(repeated_elements, a_stack(repeated=("PatientID", "Rows")))
        ['PatientID, Rows more than once in a header']

    References:
        DICOM PS3.5 7.1 Data Elements: a Data Element Tag occurs at most once in a Data Set
    """
    if stack.repeated:
        yield Issue(message=f"{', '.join(stack.repeated)} more than once in a header", expected="once")
