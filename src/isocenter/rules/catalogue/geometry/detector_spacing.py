"""geometry/detector-spacing."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.radiograph import RADIOGRAPHS
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 10.7.1")
def detector_spacing(stack: Stack) -> Issues:
    """The pixels of the radiograph are measured at the detector, or nobody knows where.

    Why it matters:
        X-rays spread from a point, so a shadow is larger than the body that casts it, often by a tenth. Sizes taken
        from the detector's spacing are too large by that, and not alike between devices.

    What to do:
        Nothing where sizes do not matter. Else let it be reviewed (`screen.severity`), or choose images with
        `where: {spacing_kind: calibrated}`.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> known = Attribute(name="spacing_kind", value="calibrated")
        >>> issues_of(detector_spacing, a_stack(modality="DX", orientation_code="none", attributes=(known,)))
        []
        >>> known = Attribute(name="spacing_kind", value="detector")
        >>> issues_of(detector_spacing, a_stack(modality="DX", orientation_code="none", attributes=(known,)))
        ['the pixel spacing is that at the detector']
        >>> issues_of(detector_spacing, a_stack(modality="DX", orientation_code="none"))
        ['nothing says where the pixel spacing was measured']

    References:
        DICOM PS3.3 10.7.1 Pixel Spacing Calibration; C.8.11.4 Imager Pixel Spacing (0018,1164)
    """
    if stack.modality not in RADIOGRAPHS or stack.orientation_code != "none":
        return
    match stack.attribute("spacing_kind"):
        case "detector":
            yield Issue(message="the pixel spacing is that at the detector", measured="detector")
        case "":
            yield Issue(message="nothing says where the pixel spacing was measured", measured="unknown")
