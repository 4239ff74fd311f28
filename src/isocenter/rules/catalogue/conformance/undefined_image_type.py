"""conformance/undefined-image-type."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Values 1 and 2; MIXED is for objects whose frames differ (C.8.16.1.1).
_PIXELS = {"ORIGINAL", "DERIVED", "MIXED"}
_EXAMINATION = {"PRIMARY", "SECONDARY"}


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.1.1.2")
def undefined_image_type(stack: Stack) -> Issues:
    """The first two values of Image Type are not what the standard defines.

    Why it matters:
        They tell source images from derived ones. Where a tool wrote words of its own there, or only one
        value, images made after the examination are not recognised as such.

    What to do:
        Find out what wrote the files, and whether they are source images.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(undefined_image_type, a_stack())
        []
        >>> issues_of(undefined_image_type, a_stack(image_type=("AXIAL", "PRIMARY")))
        ['value 1 of Image Type is not defined']
        >>> issues_of(undefined_image_type, a_stack(image_type=("ORIGINAL",)))
        ['value 2 of Image Type is missing']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type: values 1 and 2 are enumerated; C.8.16.1.1 MIXED
    """
    values = [v.strip().upper() for v in stack.image_type]
    if stack.format != "dicom" or not any(values):
        return
    for number, allowed in ((1, _PIXELS), (2, _EXAMINATION)):
        value = values[number - 1] if len(values) >= number else ""
        if value not in allowed:
            state = "not defined" if value else "missing"
            yield Issue(
                message=f"value {number} of Image Type is {state}", expected=" or ".join(sorted(allowed))
            )
