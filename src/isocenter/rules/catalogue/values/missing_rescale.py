"""values/missing-rescale."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.8.2.1")
def missing_rescale(stack: Stack) -> Issues:
    """No slice of the CT says how stored numbers become Hounsfield units.

    Why it matters:
        Stored numbers start anywhere: at 0, at 1024, at 8192. Without slope and intercept a CT has no
        scale, and water and air can only be guessed.

    What to do:
        Export the series again from the archive; both attributes are required in a CT image.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(missing_rescale, a_stack())
        []
        >>> issues_of(missing_rescale, a_stack(n_without_rescale=5))
        ['no slice has a rescale slope and intercept']

    References:
        DICOM PS3.3 C.8.2.1 CT Image Module: Rescale Intercept and Slope are Type 1
    """
    is_bare = stack.n_without_rescale >= len(stack.files) and not stack.has_modality_lut
    if stack.format == "dicom" and stack.modality == "CT" and is_bare:
        yield Issue(message="no slice has a rescale slope and intercept")
