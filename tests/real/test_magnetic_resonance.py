"""Real MR series: what they are by their times and b-value, and diffusion coefficients in their unit."""

from dataclasses import replace

import numpy as np
import pytest

import isocenter
from isocenter.model.weighting import weighting_of
from isocenter.rules.catalogue.values.ambiguous_adc_units import ambiguous_adc_units
from isocenter.testing.rules import issues_of

pytestmark = pytest.mark.real


def weightings(folder) -> set[str]:
    return {weighting_of(s) for s in isocenter.index(folder, jobs=1).stacks if s.modality == "MR"}


def test_a_prostate_examination_is_told_apart(real_data):
    assert weightings(real_data / "mr_prostatex_0000") == {"T2", "DWI", "ADC"}


@pytest.mark.parametrize(
    "folder",
    ["mr_philips_classic_vs_enhanced", "mr_ge_4d_epi", "mr_siemens_mosaic", "mr_enhanced_siemens_philips"],
)
def test_perfusion_bold_and_field_maps_are_left_open(real_data, folder):
    assert weightings(real_data / folder) == {""}


def test_the_adc_of_a_prostate_is_in_millionths(real_data):
    (volume,) = isocenter.read(real_data / "mr_prostatex_0000/adc")
    assert "ADC" in volume.image_type
    assert issues_of(ambiguous_adc_units, volume) == []
    thousandths = replace(volume, array=volume.array / np.float32(1000))
    (found,) = ambiguous_adc_units(thousandths)
    assert found.message == "ADC values fit a unit of 0.001 mm2/s, not 1e-06"
    assert 0.5 < float(found.measured) < 2.0
