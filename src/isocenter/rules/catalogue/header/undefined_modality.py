"""header/undefined-modality."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.modality import MEANT, is_defined, meant_by
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.3.1.1.1")
def undefined_modality(stack: Stack) -> Issues:
    """The modality is no term of the standard.

    Why it matters:
        XR, MRI or CAT are words of a request form. Units and every check hang on the term: a CT that calls
        itself CAT is not read in Hounsfield units, and an "XR" may be a film or a detector.

    What to do:
        Correct the header at its source. Where the term is written otherwise than the standard has it, or
        means one modality only in somebody's language, the stack is rejected.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(undefined_modality, a_stack())
        []
        >>> issues_of(undefined_modality, a_stack(modality="MRI"))
        ['the modality is MRI, which is no term; did you mean MR?']
        >>> issues_of(undefined_modality, a_stack(modality="ct"))
        ['the modality is written otherwise than CT']
        >>> issues_of(undefined_modality, a_stack(modality="ZZ"))
        ['the modality is no term of the standard']

    References:
        DICOM PS3.3 C.7.3.1.1.1 Modality: defined terms; PS3.16 CID 29
    """
    if stack.format != "dicom" or not stack.modality.strip() or is_defined(stack.modality):
        return
    word, term = stack.modality.strip().upper(), meant_by(stack.modality)
    if not term:
        yield Issue(
            message="the modality is no term of the standard", expected="a defined term, e.g. CT, MR, DX"
        )
    elif word in MEANT:
        yield Issue(
            message=f"the modality is {word}, which is no term; did you mean {term}?",
            severity=Severity.REJECT,
            measured=word,
            expected=term,
        )
    else:
        yield Issue(
            message=f"the modality is written otherwise than {term}", severity=Severity.REJECT, expected=term
        )
