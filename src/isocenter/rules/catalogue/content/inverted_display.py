"""content/inverted-display."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.3.1.2")
def inverted_display(
    stack: Stack,
    *,
    modalities: Annotated[tuple[str, ...], "modalities whose values mean the same however they are shown"] = (
        "CT",
        "MR",
        "PT",
        "NM",
    ),
) -> Issues:
    """Low values are meant to be shown white, though the values themselves are as usual.

    Why it matters:
        MONOCHROME1 is a wish for the display. Hounsfield units stay what they are, and are not inverted
        here; but many tools do invert them, so the same series may look different elsewhere, and a file
        that was inverted before will be wrong.

    What to do:
        Nothing, if air is dark in a picture of the built volume. If it is bright, the file was changed
        before it came here.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(inverted_display, a_stack())
        []
        >>> issues_of(inverted_display, a_stack(photometric="MONOCHROME1"))
        ['MONOCHROME1: values are kept as they are, not inverted']
        >>> issues_of(inverted_display, a_stack(photometric="MONOCHROME1", modality="DX"))
        []

    References:
        DICOM PS3.3 C.7.6.3.1.2 Photometric Interpretation; C.11.1 Modality LUT comes before any display
    """
    if stack.modality in modalities and stack.photometric.strip().upper() == "MONOCHROME1":
        yield Issue(
            message="MONOCHROME1: values are kept as they are, not inverted",
            measured="MONOCHROME1",
            expected="MONOCHROME2",
        )
