"""values/ambiguous-adc-units."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.sample import values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule

# From dense tumour to free water at 37 degrees (about 3.0e-3), with room for noise and for perfusion, in mm2/s.
_LOW, _HIGH = 0.2e-3, 4e-3
# What a value of 1 stands for, in mm2/s, as scanners and tools write it.
_SCALES = (1.0, 1e-3, 1e-5, 1e-6)


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.16.2.11")
def ambiguous_adc_units(
    volume: Volume,
    *,
    unit: Annotated[float, "mm2/s that a value of 1 is to stand for in this cohort"] = 1e-6,
) -> Issues:
    """An ADC map's values are not in the unit of the cohort.

    Why it matters:
        Diffusion coefficients are written in mm2/s, in thousandths or in millionths of it, as scanner and
        software please, and seldom does the header say so. Brain is 0.0008, 0.8 or 800. A network that is
        shown two of them learns the scanner.

    What to do:
        Bring the map to the cohort's unit at the source, or set this rule's unit to the one that all maps of
        the cohort have. A map that fits no unit may be an exponential one, or no ADC map.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> brain = np.full((2, 8, 8), 800, np.uint16)
        >>> adc = {"unit": "stored", "modality": "MR", "image_type": ("DERIVED", "PRIMARY", "ADC")}
        >>> issues_of(ambiguous_adc_units, a_volume(brain, **adc))
        []
        >>> issues_of(ambiguous_adc_units, a_volume((brain / 1000).astype(np.float32), **adc))
        ['ADC values fit a unit of 0.001 mm2/s, not 1e-06']
        >>> issues_of(ambiguous_adc_units, a_volume(brain * 10, **adc))
        ['ADC values fit no unit that is in use']

    References:
        DICOM PS3.3 C.7.6.1.1.2 Image Type; C.7.6.16.2.11 Real World Value Mapping
    """
    if volume.modality != "MR" or "ADC" not in {part.strip().upper() for part in volume.image_type}:
        return
    values = values_of(volume)
    values = values[values > 0]  # what was not fitted is 0, and noise may be below
    values = values[np.isfinite(values)]
    if not values.size:
        return
    median = float(np.median(values))
    fitting = [scale for scale in _SCALES if _LOW <= median * scale <= _HIGH]
    if any(abs(scale / unit - 1) < 1e-9 for scale in fitting):
        return
    what = f"fit a unit of {fitting[0]:g} mm2/s, not {unit:g}" if fitting else "fit no unit that is in use"
    yield Issue(
        message=f"ADC values {what}",
        measured=f"{median:.4g}",
        expected=f"{_LOW / unit:.4g} to {_HIGH / unit:.4g}",
        unit="median of what is above 0",
    )
