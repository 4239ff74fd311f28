"""values/modality-lut."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

_PHYSICAL = {"CT", "PT", "NM"}


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.11.1.1")
def modality_lut(stack: Stack) -> Issues:
    """Stored numbers become values by a table, not by slope and intercept.

    Why it matters:
        Such a table bends the scale, for instance from film density to exposure. This version reads the
        stored numbers as they are, so they have another meaning than those of images without a table.

    What to do:
        Apply the table when exporting. Radiographs may be kept by a decision if all of them are alike;
        where values have a physical unit the stack is rejected.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(modality_lut, a_stack())
        []
        >>> issues_of(modality_lut, a_stack(modality="DX", has_modality_lut=True))
        ['values are given by a look-up table']

    References:
        DICOM PS3.3 C.11.1.1 Modality LUT Sequence (0028,3000)
    """
    if stack.has_modality_lut:
        yield Issue(
            message="values are given by a look-up table",
            severity=Severity.REJECT if stack.modality in _PHYSICAL else None,
            measured="Modality LUT Sequence",
            expected="slope and intercept",
        )
