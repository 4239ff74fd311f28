"""values/not-hounsfield."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Defined terms of C.11.1.1.2 for what is not HU; any other text is not repeated in a message.
_TERMS = {"OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.11.1.1.2")
def not_hounsfield(stack: Stack) -> Issues:
    """The CT's values are not Hounsfield units.

    Why it matters:
        Spectral scanners make maps of iodine, electron density or effective atomic number that look like
        a CT and are stored as one. Windows and ranges in HU mean nothing for them.

    What to do:
        Use the conventional series of the examination. Where the type is "unspecified", a person decides:
        some scanners write it for plain HU. An absent type means HU.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(not_hounsfield, a_stack(rescale_type="HU"))
        []
        >>> issues_of(not_hounsfield, a_stack(rescale_type="MGML"))
        ['Rescale Type is MGML, not HU']
        >>> issues_of(not_hounsfield, a_stack(rescale_type="US"))
        ['Rescale Type is US, unspecified']
        >>> issues_of(not_hounsfield, a_stack(rescale_type="HU", all_rescale_types=("HU", "MGML")))
        ['Rescale Type is MGML, not HU']

    References:
        DICOM PS3.3 C.11.1.1.2 Rescale Type (0028,1054); C.8.2.1 CT Image Module
    """
    kinds = {kind.strip().upper() for kind in (stack.rescale_type, *stack.all_rescale_types)} - {"", "HU"}
    if stack.modality != "CT" or not kinds:
        return
    if kinds == {"US"}:
        yield Issue(
            message="Rescale Type is US, unspecified", severity=Severity.REVIEW, measured="US", expected="HU"
        )
        return
    shown = ", ".join(sorted({kind if kind in _TERMS else "another term" for kind in kinds - {"US"}}))
    yield Issue(message=f"Rescale Type is {shown}, not HU", measured=shown, expected="HU")
