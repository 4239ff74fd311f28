"""content/for-processing-radiograph."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.11.1")
def for_processing_radiograph(stack: Stack) -> Issues:
    """The radiograph is raw detector data, meant for processing and not for reading.

    Why it matters:
        FOR PROCESSING and FOR PRESENTATION pictures of one exposure differ in contrast, often in sign.
        Mixed in one data set, they are two kinds of data under one name.

    What to do:
        Use the FOR PRESENTATION twin, or decide to train on raw data throughout.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(for_processing_radiograph, a_stack())
        []
        >>> issues_of(for_processing_radiograph, a_stack(modality="DX", presentation_intent="FOR PROCESSING"))
        ['raw detector data, not for presentation']

    References:
        DICOM PS3.3 C.8.11.1 DX Series Module: Presentation Intent Type (0008,0068)
    """
    if stack.presentation_intent.strip().upper() == "FOR PROCESSING":
        yield Issue(
            message="raw detector data, not for presentation",
            measured="FOR PROCESSING",
            expected="FOR PRESENTATION",
        )
