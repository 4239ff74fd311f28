"""ADC maps in every unit in use, of tissue with published diffusion coefficients, and images that are none."""

import numpy as np
import pytest

from isocenter.base.seeds import stream
from isocenter.model.issue import Severity
from isocenter.rules.catalogue.values.ambiguous_adc_units import ambiguous_adc_units
from isocenter.testing.rules import a_volume, issues_of

ADC = {"unit": "stored", "modality": "MR", "image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}
# mm2/s: dense lymphoma, white matter, prostate, liver, fluid (b of 0 and 1000 s/mm2, 3 T)
TISSUES = {"lymphoma": 0.55e-3, "white matter": 0.75e-3, "prostate": 1.5e-3, "liver": 1.1e-3, "fluid": 3.0e-3}


def adc(median: float, scale: float, dtype: str = "float32") -> np.ndarray:
    """A map (4, 20, 20) of one tissue; half of it was not fitted."""
    values = stream(3, "adc").normal(median, median / 6, (4, 20, 20)) / scale
    values[:, :10] = 0
    return values.astype(dtype)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
@pytest.mark.parametrize("tissue", TISSUES)
def test_a_map_in_the_unit_of_the_cohort_is_clean_and_in_any_other_told(tissue: str, scale: float) -> None:
    volume = a_volume(adc(TISSUES[tissue], scale), **ADC)
    for unit in (1.0, 1e-3, 1e-6):
        told = issues_of(ambiguous_adc_units, volume, unit=unit)
        assert told == ([] if unit == scale else [f"ADC values fit a unit of {scale:g} mm2/s, not {unit:g}"])


def test_what_is_measured_is_the_median_of_what_was_fitted() -> None:
    (found,) = ambiguous_adc_units(a_volume(adc(0.75e-3, 1e-3), **ADC))
    assert found.severity is Severity.REVIEW
    assert float(found.measured) == pytest.approx(0.75, abs=0.02)
    assert found.expected == "200 to 4000"


def test_padding_counts_nothing_and_an_empty_map_says_nothing() -> None:
    array = adc(0.75e-3, 1e-6, "int16")
    array[:2] = 30_000
    valid = np.ones(array.shape, bool)
    valid[:2] = False
    assert issues_of(ambiguous_adc_units, a_volume(array, valid=valid, **ADC)) == []
    assert issues_of(ambiguous_adc_units, a_volume(np.zeros((2, 4, 4), np.int16), **ADC)) == []


def test_other_images_are_not_looked_at() -> None:
    array = adc(0.75e-3, 1e-3)
    assert (
        issues_of(ambiguous_adc_units, a_volume(array, **{**ADC, "image_type": ("ORIGINAL", "PRIMARY", "M")}))
        == []
    )
    assert issues_of(ambiguous_adc_units, a_volume(array, **{**ADC, "modality": "CT"})) == []
