"""conformance/retired-object-class."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_IMAGES = "1.2.840.10008.5.1.4.1.1."
# Ultrasound, nuclear medicine, biplane angiography, and two drafts for visible light.
RETIRED = frozenset(f"{_IMAGES}{n}" for n in ("3", "5", "6", "12.3", "77.1", "77.2"))


@rule(severity=Severity.NOTE, clause="DICOM PS3.4 B.5")
def retired_object_class(stack: Stack) -> Issues:
    """The object is of a class that the standard has given up.

    Why it matters:
        The image is decades old, or was written by software of that age. Its attributes followed other
        rules than those that are checked here: geometry and units may be where no reader looks.

    What to do:
        Compare one image with a viewer of that time, or leave the series out.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(retired_object_class, a_stack())
        []
        >>> issues_of(retired_object_class, a_stack(sop_class_uid="1.2.840.10008.5.1.4.1.1.5", modality="NM"))
        ['a retired class of object']

    References:
        DICOM PS3.4 B.5 and B.6 Retired Standard SOP Classes; PS3.6 Table A-1
    """
    if stack.sop_class_uid in RETIRED:
        yield Issue(message="a retired class of object")
