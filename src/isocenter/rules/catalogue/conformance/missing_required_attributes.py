"""conformance/missing-required-attributes."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Whose absence other rules tell of, each with what follows from it.
_TOLD_ELSEWHERE = (
    *(
        "Modality",
        "ImageType",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "FrameOfReferenceUID",
    ),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData", "Units"),
)


@rule(severity=Severity.REVIEW, clause="DICOM PS3.5 7.4.1")
def missing_required_attributes(
    stack: Stack,
    *,
    elsewhere: Annotated[tuple[str, ...], "attributes that other rules judge"] = _TOLD_ELSEWHERE,
) -> Issues:
    """A slice lacks attributes that the standard makes mandatory.

    Why it matters:
        Type 1 attributes must be there with a value. Where the class of the object, the number of bits or
        the sign is missing, each program assumes something, and not all assume the same. It is also a
        mark of files that passed through a tool which drops what it does not know.

    What to do:
        Export the series again from the archive. If all files of a source lack the same attribute and
        their values are right, keep them by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_required_attributes, a_stack())
        []
        >>> issues_of(missing_required_attributes, a_stack(absent=("HighBit", "SOPClassUID")))
        ['2 mandatory attributes are missing: HighBit, SOPClassUID']

    References:
        DICOM PS3.5 7.4.1 Type 1 Required Data Elements; PS3.3 C.7.6.3 and C.12.1 name them
    """
    lacking = [name for name in stack.absent if name not in elsewhere]
    if stack.format == "dicom" and lacking:
        count = len(lacking)
        yield Issue(
            message=f"{count} mandatory attribute{' is' if count == 1 else 's are'} missing: {', '.join(lacking)}",
            measured=str(count),
            expected="0",
        )
