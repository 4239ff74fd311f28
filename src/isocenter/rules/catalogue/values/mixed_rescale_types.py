"""values/mixed-rescale-types."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# In a CT an absent type means HU, and "US" that the scanner did not say (C.11.1.1.2).
_UNSAID = {"", "US"}


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.11.1.1.2")
def mixed_rescale_types(stack: Stack) -> Issues:
    """Slices that belong together are in different units.

    Why it matters:
        Slices in Hounsfield units among slices of iodine or electron density are two images in one stack.
        Where some slices name their unit and others do not, they were written by different tools.

    What to do:
        Take them apart at the source: each unit is a series of its own.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_rescale_types, a_stack(all_rescale_types=("HU",)))
        []
        >>> issues_of(mixed_rescale_types, a_stack(all_rescale_types=("HU", "MGML")))
        ['slices are in 2 different units']
        >>> issues_of(mixed_rescale_types, a_stack(all_rescale_types=("", "HU")))
        ['some slices name their unit and others do not']

    References:
        DICOM PS3.3 C.11.1.1.2 Rescale Type (0028,1054)
    """
    kinds = {kind.strip().upper() for kind in stack.all_rescale_types}
    named = len(kinds - _UNSAID)
    if named > 1:
        yield Issue(message=f"slices are in {named} different units", measured=str(named), expected="1")
    elif len(kinds) > 1:
        harmless = named == 0 or (stack.modality == "CT" and "HU" in kinds)
        yield Issue(
            message="some slices name their unit and others do not",
            severity=Severity.NOTE if harmless else Severity.REVIEW,
        )
