"""affine/unknown-orientation."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="NIfTI-1 method 1")
def unknown_orientation(stack: Stack) -> Issues:
    """The file does not say how the image lies in the patient.

    Why it matters:
        Left and right, head and feet are unknown. An image that lies another way than its neighbours
        teaches a network that organs change sides, and no mask can be checked against it.

    What to do:
        Find out how the files were made and write the affine (sform or qform, NRRD space). Keep them by a
        decision only if the task does not depend on sides and all files lie alike.

    Examples:
        >>> from isocenter.testing.rules import a_nifti, issues_of
        >>> issues_of(unknown_orientation, a_nifti())
        []
        >>> issues_of(unknown_orientation, a_nifti(orientation_code="none"))
        ['neither sform nor qform nor space is set: left and right are unknown']

    References:
        NIfTI-1 standard, methods 1 to 3: qform_code and sform_code both 0; NRRD: space
    """
    if stack.format != "dicom" and stack.orientation_code == "none":
        yield Issue(message="neither sform nor qform nor space is set: left and right are unknown")
