"""conformance/long-decimal-strings."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.5 6.2")
def long_decimal_strings(stack: Stack) -> Issues:
    """Numbers are written with more characters than the standard allows.

    Why it matters:
        A decimal string has 16 characters at most. The numbers are right and are used as they are; but some
        tools refuse such a header or cut the number, and lose position or orientation without a word.

    What to do:
        Nothing here. Where the same files are given to other tools, compare what those make of the geometry.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(long_decimal_strings, a_stack())
        []
        >>> issues_of(long_decimal_strings, a_stack(overlong=("ImageOrientationPatient", "PixelSpacing")))
        ['more than 16 characters in numbers of ImageOrientationPatient, PixelSpacing']

    References:
        DICOM PS3.5 6.2 Value Representation: DS has 16 bytes maximum
    """
    if stack.overlong:
        yield Issue(
            message=f"more than 16 characters in numbers of {', '.join(stack.overlong)}",
            expected="at most 16",
            unit="characters",
        )
