"""header/unparsable-values."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_NEEDED = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored"),
    *("PixelRepresentation", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"),
    *("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit"),
)


@rule(severity=Severity.NOTE, clause="DICOM PS3.5 6.2")
def unparsable_values(
    stack: Stack,
    *,
    needed: Annotated[tuple[str, ...], "attributes without which voxels or geometry are wrong"] = _NEEDED,
) -> Issues:
    """Attributes hold a value that cannot be understood.

    Why it matters:
        A slope of "1,5" or a position of five numbers is read by some tools as if nothing were there,
        and the image is silently wrong. Where geometry or values hang on the attribute, the stack is
        rejected; elsewhere the attribute counts as missing.

    What to do:
        Correct the header at its source.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(unparsable_values, a_stack())
        []
        >>> issues_of(unparsable_values, a_stack(unparsable=("PatientAge", "RescaleSlope")))
        ['no sense in RescaleSlope', 'no sense in PatientAge']

    References:
        DICOM PS3.5 6.2 Value Representation; PS3.5 Table 6.2-1
    """
    grave = [name for name in stack.unparsable if name in needed]
    slight = [name for name in stack.unparsable if name not in needed]
    if grave:
        yield Issue(message=f"no sense in {', '.join(grave)}", severity=Severity.REJECT)
    if slight:
        yield Issue(message=f"no sense in {', '.join(slight)}")
