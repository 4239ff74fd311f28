"""geometry/conflicting-spacings."""

from __future__ import annotations

from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.radiograph import RADIOGRAPHS
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 10.7.1")
def conflicting_spacings(
    stack: Stack,
    *,
    max_difference: Annotated[
        float, "share by which the calibrated spacing may differ from the computed one"
    ] = 0.1,
) -> Issues:
    """The calibrated spacing of the radiograph contradicts the detector's.

    Why it matters:
        A body is never larger than its shadow: a spacing above the detector's is a wrong entry, often of
        rows and columns that were changed without it. Where the magnification is stated, it must explain
        the difference of the two.

    What to do:
        Measure something of known size in the picture. The calibrated spacing is used.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> def calibrated(detector_mm, magnification=""):
        ...     found = {"spacing_kind": "geometry", "detector_spacing_mm": detector_mm, "magnification": magnification}
        ...     attributes = tuple(Attribute(name=n, value=v) for n, v in found.items())
        ...     return a_stack(modality="DX", spacing_mm=(1.0, 0.1, 0.1), attributes=attributes)
        >>> issues_of(conflicting_spacings, calibrated("0.12", "1.2"))
        []
        >>> issues_of(conflicting_spacings, calibrated("0.08"))
        ['calibrated spacing 0.1 mm is above that at the detector, 0.08 mm']
        >>> issues_of(conflicting_spacings, calibrated("0.2", "1.2"))
        ['calibrated spacing 0.1 mm, but 0.167 mm by detector and magnification']

    References:
        DICOM PS3.3 10.7.1 Pixel Spacing Calibration; Estimated Radiographic Magnification Factor (0018,1114)
    """
    detector, factor = stack.attribute("detector_spacing_mm"), stack.attribute("magnification")
    is_calibrated = stack.attribute("spacing_kind") in {"calibrated", "geometry"}
    if stack.modality not in RADIOGRAPHS or not is_calibrated or not detector or len(stack.spacing_mm) != 3:
        return
    own, at_detector = stack.spacing_mm[1], float(detector)
    if own > at_detector * 1.001:
        message = f"calibrated spacing {own:.3g} mm is above that at the detector, {at_detector:.3g} mm"
        yield Issue(message=message, measured=f"{own:.6g}", expected=f"at most {at_detector:g}", unit="mm")
    elif factor and abs(own * float(factor) / at_detector - 1) > max_difference:
        computed = at_detector / float(factor)
        message = f"calibrated spacing {own:.3g} mm, but {computed:.3g} mm by detector and magnification"
        yield Issue(message=message, measured=f"{own:.6g}", expected=f"{computed:.6g}", unit="mm")
