"""values/mixed-rescale."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.2.1")
def mixed_rescale(stack: Stack) -> Issues:
    """Slices of one CT turn stored numbers into Hounsfield units by different slopes or intercepts.

    Why it matters:
        One reconstruction writes one pair for all of its slices. A slice with another one was written by
        another tool, and if its pixels were not changed along with it, the slice is a thousand HU off.
        PET and MR change their slopes from slice to slice by right, and are not looked at.

    What to do:
        Compare air and muscle in slices of both kinds. If they agree the pair was changed along with the
        pixels, and the series may be kept by a decision; if not, export it again.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_rescale, a_stack())
        []
        >>> issues_of(mixed_rescale, a_stack(rescale_intercepts=(-1024.0, 0.0)))
        ['2 rescale intercepts, -1024 to 0, among slices of one CT']
        >>> issues_of(mixed_rescale, a_stack(modality="PT", rescale_slopes=(0.5, 0.7)))
        []

    References:
        DICOM PS3.3 C.8.2.1 CT Image Module; C.11.1 Modality LUT Module; C.8.9.4 PET Image Module
    """
    if stack.modality != "CT":
        return
    for name, values in (("slopes", stack.rescale_slopes), ("intercepts", stack.rescale_intercepts)):
        if len(set(values)) > 1:
            yield Issue(
                message=f"{len(set(values))} rescale {name}, {min(values):g} to {max(values):g}, "
                "among slices of one CT",
                measured=f"{len(set(values))}",
                expected="1",
            )
