"""values/mixed-units."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.8.9.1")
def mixed_units(stack: Stack) -> Issues:
    """Slices of the PET that belong together are in different units.

    Why it matters:
        One volume has one unit. Slices in counts among slices in Bq/ml are off by a factor that nobody
        knows, and the volume would be named after whichever slice comes first.

    What to do:
        Export the series again in one unit. Where only some slices name theirs, find out what the others
        are in.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(mixed_units, a_stack(modality="PT", all_pet_units=("BQML",)))
        []
        >>> issues_of(mixed_units, a_stack(modality="PT", all_pet_units=("BQML", "CNTS")))
        ['slices are in 2 different units']
        >>> issues_of(mixed_units, a_stack(modality="PT", all_pet_units=("", "BQML")))
        ['some slices name their unit and others do not']

    References:
        DICOM PS3.3 C.8.9.1 PET Series Module: Units (0054,1001)
    """
    units = {unit.strip().upper() for unit in stack.all_pet_units}
    named = len(units - {""})
    if stack.modality != "PT" or len(units) < 2:
        return
    if named > 1:
        yield Issue(message=f"slices are in {named} different units", measured=str(named), expected="1")
    else:
        yield Issue(message="some slices name their unit and others do not", expected="one unit")
