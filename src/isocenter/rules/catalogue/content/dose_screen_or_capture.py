"""content/dose-screen-or-capture."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.image_type import SCREENS
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 A.8")
def dose_screen_or_capture(
    stack: Stack,
    *,
    accepted: Annotated[tuple[str, ...], "modalities whose pictures may be digitised captures"] = (
        "CR",
        "DX",
        "MG",
        "RG",
        "IO",
        "PX",
    ),
) -> Issues:
    """The image is a screen capture, such as a dose page, and not a source image.

    Why it matters:
        Captures carry text and graphics, no physical values and no place in the patient. They often sit
        in the same study, sometimes in the same series, under the modality of the scanner.

    What to do:
        Nothing; they are no images of the patient. Digitised radiographs are let through here and go to
        review as possibly carrying text.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(dose_screen_or_capture, a_stack())
        []
        >>> issues_of(dose_screen_or_capture, a_stack(sop_class_uid="1.2.840.10008.5.1.4.1.1.7"))
        ['a secondary capture under the modality of a scanner']
        >>> issues_of(dose_screen_or_capture, a_stack(modality="OT"))
        ['modality OT is no source of images']

    References:
        DICOM PS3.3 A.8 Secondary Capture Image IODs; C.7.3.1.1.1 Modality: OT is other
    """
    if stack.modality in {"OT", "SC"}:
        yield Issue(message=f"modality {stack.modality} is no source of images", measured=stack.modality)
    elif {v.strip().upper() for v in stack.image_type} & set(SCREENS):
        yield Issue(message="Image Type says screen")
    elif stack.modality not in accepted and f"{stack.sop_class_uid}.".startswith(f"{_SECONDARY_CAPTURE}."):
        yield Issue(message="a secondary capture under the modality of a scanner")
