"""values/degenerate-rescale."""

from __future__ import annotations

import math

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.11.1.1")
def degenerate_rescale(stack: Stack) -> Issues:
    """The rescale slope is 0, or slope or intercept are no numbers.

    Why it matters:
        A slope of 0 makes every voxel the same, one that is not finite makes every voxel nothing. Tools
        that skip such a value return stored numbers as if they were physical ones.

    What to do:
        Export the series again from the archive.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(degenerate_rescale, a_stack())
        []
        >>> issues_of(degenerate_rescale, a_stack(rescale_slopes=(1.0, 0.0)))
        ['a rescale slope is 0']

    References:
        DICOM PS3.3 C.11.1.1 Modality LUT: output = m * stored value + b
    """
    if not all(map(math.isfinite, (*stack.rescale_slopes, *stack.rescale_intercepts))):
        yield Issue(message="a rescale slope or intercept is no finite number")
    elif 0.0 in stack.rescale_slopes:
        yield Issue(message="a rescale slope is 0", measured="0")
