"""content/phase-image."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Value 3 (Siemens: P), or any of those behind it (Philips: PHASE MAP; enhanced objects: C.8.13.3.1.1). A real part
# is not among them: perfusion and inversion recovery are commonly written as that.
_THIRD = {"P", "I"}
_ANY = {"PHASE", "PHASE MAP", "IMAGINARY"}


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.8.13.3.1.1")
def phase_image(stack: Stack) -> Issues:
    """The MR image shows phase or the imaginary part of the signal, and not magnitude.

    Why it matters:
        Its values are angles that wrap around, or numbers of either sign: noise in air, no anatomy as a
        reader knows it. It comes beside the magnitude image under the same name.

    What to do:
        Use the magnitude image of the same acquisition, unless phase is what is to be learned from.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(phase_image, a_stack(modality="MR", image_type=("ORIGINAL", "PRIMARY", "M", "ND")))
        []
        >>> issues_of(phase_image, a_stack(modality="MR", image_type=("ORIGINAL", "PRIMARY", "P", "ND")))
        ['Image Type says phase or imaginary part']

    References:
        DICOM PS3.3 C.8.13.3.1.1 Complex Image Component: MAGNITUDE, PHASE, REAL, IMAGINARY
    """
    kinds = [v.strip().upper() for v in stack.image_type[2:]]
    if stack.modality == "MR" and (set(kinds[:1]) & _THIRD or set(kinds) & _ANY):
        yield Issue(message="Image Type says phase or imaginary part", expected="magnitude")
