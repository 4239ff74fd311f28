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
    units: Annotated[tuple[str, ...], "units that can be compared between patients"] = (
        "BQML",
        "GML",
        "CM2ML",
    ),
) -> Issues:
    """The PET's values are counts or have no unit.

    Why it matters:
        Counts depend on scanner, dose and time. They cannot be compared between patients as they are. Into
        standardised uptake values they can be turned with the private scale factors of Philips alone;
        `values/unconvertible-pet` says whether these are there.

    What to do:
        Nothing where they become standardised uptake values. Otherwise ask for the attenuation-corrected
        series in Bq/ml, or normalise each image by itself.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="BQML"))
        []
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="CNTS"))
        ['PET values are not in BQML, GML or CM2ML']
        >>> issues_of(uncalibrated_pet, a_stack(modality="PT", pet_units="BQML", all_pet_units=("BQML", "CNTS")))
        ['PET values are not in BQML, GML or CM2ML']

    References:
        DICOM PS3.3 C.8.9.1 PET Series Module: Units (0054,1001)
    """
    found = {unit.strip().upper() for unit in (stack.pet_units, *stack.all_pet_units)}
    if stack.format == "dicom" and stack.modality == "PT" and not found <= set(units):
        expected = " or ".join(part for part in (", ".join(units[:-1]), *units[-1:]) if part)
        yield Issue(message=f"PET values are not in {expected}", expected=expected)
