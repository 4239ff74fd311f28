"""values/uncalibrated-pet."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.9.1")
def uncalibrated_pet(
    stack: Stack,
    *,
    units: Annotated[tuple[str, ...], "units that can be compared between patients"] = ("BQML", "GML"),
) -> Issues:
    """The PET's values are counts or have no unit.

    Why it matters:
        Counts depend on scanner, dose and time. They cannot be compared between patients, nor turned into
        a standardised uptake value by the header alone.

    What to do:
        Ask for the attenuation-corrected series in Bq/ml, or normalise each image by itself.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="BQML"))
        []
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="CNTS"))
        ['PET values are not in BQML or GML']
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="BQML", all_pet_units=("BQML", "CNTS")))
        ['PET values are not in BQML or GML']

    References:
        DICOM PS3.3 C.8.9.1 PET Series Module: Units (0054,1001)
    """
    found = {unit.strip().upper() for unit in (stack.pet_units, *stack.all_pet_units)}
    if stack.format == "dicom" and stack.modality == "PT" and not found <= set(units):
        yield Issue(message=f"PET values are not in {' or '.join(units)}", expected=" or ".join(units))
