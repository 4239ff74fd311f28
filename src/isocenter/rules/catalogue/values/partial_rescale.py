"""values/partial-rescale."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.11.1")
def partial_rescale(stack: Stack) -> Issues:
    """Some slices say how stored numbers become values, and others do not.

    Why it matters:
        The slices without it come out about a thousand HU, or a factor, off the others. Most tools stack
        them without a word.

    What to do:
        Export the series again; a part of it was probably written by another tool.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(partial_rescale, a_stack())
        []
        >>> issues_of(partial_rescale, a_stack(n_without_rescale=1))
        ['1 of 5 slices has no rescale slope and intercept']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module
    """
    lacking, count = stack.n_without_rescale, len(stack.files)
    if 0 < lacking < count:
        yield Issue(
            message=f"{lacking} of {count} slices {'has' if lacking == 1 else 'have'} no rescale slope "
            "and intercept",
            measured=str(lacking),
            expected="0",
            unit="slices",
        )
