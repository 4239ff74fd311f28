"""conformance/private-object-class."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_STANDARD = "1.2.840.10008."


@rule(severity=Severity.NOTE, clause="DICOM PS3.4 B.5")
def private_object_class(stack: Stack) -> Issues:
    """The object is of a class that a manufacturer defined for itself.

    Why it matters:
        The standard says nothing of what such an object holds: raw data, spectra and protocol pages come
        this way, under the modality of the scanner. What its attributes mean is the manufacturer's secret.

    What to do:
        Prefer the images of a standard class from the same study.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(private_object_class, a_stack())
        []
        >>> issues_of(private_object_class, a_stack(sop_class_uid="1.3.12.2.1107.5.9.1"))
        ['a class of object that the standard does not define']

    References:
        DICOM PS3.4 B.5 Standard SOP Classes; PS3.5 9 Unique Identifiers: the root 1.2.840.10008 is DICOM's
    """
    if stack.format == "dicom" and stack.sop_class_uid and not stack.sop_class_uid.startswith(_STANDARD):
        yield Issue(message="a class of object that the standard does not define")
