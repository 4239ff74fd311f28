"""identity/suspected-burned-in-text."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1")
def suspected_burned_in_text(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities whose pictures often carry text"] = ("US", "OT", "SC"),
    trust_header: Annotated[bool, "believe a header that says there is no text"] = False,
) -> Issues:
    """Text may be part of the picture itself.

    Why it matters:
        A name in the pixels survives every cleaning of the header, and a network learns a centre's stamp
        instead of the disease. The header's own word for it is often missing or wrong.

    What to do:
        Look at the picture. Keep it by a decision if it is clean; otherwise cover the text in the source.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(suspected_burned_in_text, a_stack())
        []
        >>> issues_of(suspected_burned_in_text, a_stack(burned_in_annotation="YES"))
        ['the header says that text is burned into the picture']
        >>> issues_of(suspected_burned_in_text, a_stack(modality="US"))
        ['pictures of modality US often carry text']
        >>> issues_of(suspected_burned_in_text, a_stack(modality="US"), trust_header=True)
        []

    References:
        DICOM PS3.3 C.7.6.1 General Image Module: Burned In Annotation (0028,0301)
        DICOM PS3.15 E.3.1 Clean Pixel Data Option
    """
    said = stack.burned_in_annotation.strip().upper()
    if said == "YES":
        yield Issue(
            message="the header says that text is burned into the picture", measured="YES", expected="NO"
        )
    elif said == "NO" and trust_header:
        return
    elif stack.modality in modalities:
        yield Issue(
            message=f"pictures of modality {stack.modality} often carry text", measured=stack.modality
        )
    elif f"{stack.sop_class_uid}.".startswith(f"{_SECONDARY_CAPTURE}."):
        yield Issue(message="secondary captures often carry text", measured="Secondary Capture")
