"""geometry/incomplete-acquisition."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.1")
def incomplete_acquisition(stack: Stack) -> Issues:
    """Fewer slices are here than the scanner says it made.

    Why it matters:
        Where the first or the last slices are lost, the positions of the others are as even as before.
        Only the number of images in the acquisition tells that the top or the bottom of the organ is cut
        off. Nothing is said where the series was split, holds several phases, or is numbered otherwise.

    What to do:
        Fetch the whole series from the archive. If the scanner counted images of another reconstruction as
        well, keep the stack by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(incomplete_acquisition, a_stack(images_in_acquisition=5, n_in_series=5))
        []
        >>> issues_of(incomplete_acquisition, a_stack(images_in_acquisition=7, n_in_series=5))
        ['7 images were acquired, 5 are here: 2 lack after number 5']
        >>> last = a_stack(images_in_acquisition=6, n_in_series=5, first_number=2, last_number=6)
        >>> issues_of(incomplete_acquisition, last)
        ['6 images were acquired, 5 are here: 1 lacks before number 2']
        >>> issues_of(incomplete_acquisition, a_stack(images_in_acquisition=7, n_in_series=6))
        []

    References:
        DICOM PS3.3 C.7.6.1 General Image Module: Images in Acquisition (0020,1002), Instance Number (0020,0013)
    """
    made, count = stack.images_in_acquisition, len(stack.files)
    first, last = stack.first_number, stack.last_number
    if stack.format != "dicom" or stack.multi_frame or stack.axis or made is None or made <= count:
        return
    # elsewhere in the series are the others, or the numbers are not those of this acquisition
    if stack.n_in_series != count or first is None or last is None or not 0 < first <= last <= made:
        return
    before, after = first - 1, made - last
    holes = (
        (before, f"before number {first}"),
        (after, f"after number {last}"),
        (last - first + 1 - count, "between"),
    )
    where = ", ".join(f"{n} lack{'s' if n == 1 else ''} {place}" for n, place in holes if n > 0)
    yield Issue(
        message=f"{made} images were acquired, {count} are here: {where}",
        measured=str(count),
        expected=str(made),
        unit="slices",
    )
