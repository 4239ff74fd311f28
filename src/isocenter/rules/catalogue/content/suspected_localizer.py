"""content/suspected-localizer."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.3.1.1.1")
def suspected_localizer(
    stack: Stack,
    *,
    max_slices: Annotated[int, "most slices that one plane of a localizer has"] = 7,
    min_distance_mm: Annotated[float, "smallest distance of slice centres in a localizer"] = 8.0,
    modalities: Annotated[tuple[str, ...], "modalities whose localizers often do not say so"] = ("MR",),
) -> Issues:
    """A few slices far apart: this looks like one plane of a localizer.

    Why it matters:
        An MR localizer is three small stacks at right angles, and many scanners do not mark it in Image
        Type. Each of its planes passes for a short examination of poor quality.

    What to do:
        Nothing, if it is a localizer. Protocols of few thick slices are kept by a decision, or by raising
        `min_distance_mm`.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(suspected_localizer, a_stack(modality="MR"))
        []
        >>> issues_of(suspected_localizer, a_stack(modality="MR", positions_mm=(0, 10.5, 21, 31.5)))
        ['4 slices 10.5 mm apart, as in a localizer']

    References:
        DICOM PS3.3 C.8.3.1.1.1 MR Image Type: value 3 is LOCALIZER where the scanner says so
    """
    count, distance = len(stack.positions_mm), stack.slice_distance_mm
    # what was taken again and again is no quick view
    is_short = 1 < count <= max_slices and not stack.axis and stack.modality in modalities
    if is_short and distance is not None and distance >= min_distance_mm:
        yield Issue(
            message=f"{count} slices {distance:.4g} mm apart, as in a localizer",
            measured=f"{distance:.4g}",
            expected=f"less than {min_distance_mm:g}",
            unit="mm",
        )
