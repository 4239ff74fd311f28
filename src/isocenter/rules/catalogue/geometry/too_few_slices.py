"""geometry/too-few-slices."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule
from isocenter.rules.gaps import slices_of


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2")
def too_few_slices(
    stack: Stack,
    *,
    min_slices: Annotated[int, "smallest number of slices of a volume"] = 3,
    modalities: Annotated[tuple[str, ...], "modalities that make volumes"] = ("CT", "MR", "PT", "NM"),
) -> Issues:
    """The stack has too few slices to be a volume.

    Why it matters:
        One or two slices are a scout view, a test shot, or what is left of a series that was lost on the
        way. A lone slice does not even say how thick it is along the patient.

    What to do:
        Fetch the whole series. If single slices are what is to be learned from, set `min_slices` to 1.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(too_few_slices, a_stack())
        []
        >>> issues_of(too_few_slices, a_stack(positions_mm=(0, 2.5)))
        ['2 slices, fewer than 3']

    References:
        DICOM PS3.3 C.7.6.2 Image Plane Module
    """
    count = slices_of(stack)
    is_undescribed = stack.multi_frame and not any(stack.frames) and not stack.axis
    if stack.modality in modalities and not is_undescribed and count < min_slices:
        yield Issue(
            message=f"{count} slice{'' if count == 1 else 's'}, fewer than {min_slices}",
            measured=str(count),
            expected=f"at least {min_slices}",
            unit="slices",
        )
