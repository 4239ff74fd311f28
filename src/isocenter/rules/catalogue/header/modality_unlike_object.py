"""header/modality-unlike-object."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_IMAGES = "1.2.840.10008.5.1.4.1.1."
# PS3.4 B.5; only classes whose definition fixes the modality.
_MODALITIES = {
    "2": "CT",
    "2.1": "CT",
    "2.2": "CT",
    "4": "MR",
    "4.1": "MR",
    "4.4": "MR",
    "128": "PT",
    "128.1": "PT",
    "130": "PT",
    "20": "NM",
    "3.1": "US",
    "6.1": "US",
}


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.3.1.1.1")
def modality_unlike_object(stack: Stack) -> Issues:
    """The modality contradicts the kind of object that the image is.

    Why it matters:
        The SOP Class fixes the modality of a CT, MR, PET, NM or ultrasound image. Where the two disagree,
        the values may not mean what the modality promises.

    What to do:
        Find out which of the two is right; a converter may have written a fixed SOP Class.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(modality_unlike_object, a_stack())
        []
        >>> issues_of(modality_unlike_object, a_stack(modality="MR"))
        ['the modality is not CT, as the class of the object says']

    References:
        DICOM PS3.3 C.7.3.1.1.1 Modality; PS3.4 B.5 Standard SOP Classes
    """
    if not stack.sop_class_uid.startswith(_IMAGES):
        return
    expected = _MODALITIES.get(stack.sop_class_uid.removeprefix(_IMAGES))
    if expected and stack.modality and stack.modality != expected:
        yield Issue(
            message=f"the modality is not {expected}, as the class of the object says", expected=expected
        )
