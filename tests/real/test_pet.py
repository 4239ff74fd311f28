"""PET of real scanners: two slices of GE, and twelve patients whose images are SUV already."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

import isocenter as iso
from isocenter.formats.image import FORMATS
from isocenter.imaging.bodies import Refusal
from isocenter.imaging.suv import Suv, decide
from isocenter.stages.build.options import Standardise
from isocenter.stages.build.uptake import with_uptake

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data / "pet_single_slices_GE"


def stack_of(path: Path):
    (stack,) = iso.index(path).stacks
    return stack


def test_a_slice_of_ge_is_converted_as_the_plain_formula_does(folder):
    """90 kg, 474.6 MBq at 9:32:00, scanned from 11:00:36 on; the half-life is GE's own 6588 s."""
    path = folder / "GH184.dcm"
    stack = stack_of(path)
    becquerels = FORMATS.get("dicom").read(stack, [path])
    assert becquerels.unit == "Bq/ml"
    left = 474_592_928 * 0.5 ** (5316 / 6588)
    expected = becquerels.array[0].astype(np.float64) * 90_000 / left
    volume = with_uptake(becquerels, stack, Standardise())
    assert volume.unit == "SUVbw"
    np.testing.assert_allclose(volume.array[0], expected, rtol=1e-6)
    assert "confirmed by Decay Factor" in volume.provenance["suv_how"]
    assert stack.attribute("uptake_minutes") == "88.6"


def test_a_transmission_like_slice_in_proportional_counts_is_refused(folder):
    stack = stack_of(folder / "GH610.dcm")
    decided = decide(stack.suv, "suvbw")
    assert isinstance(decided, Refusal)
    assert "not BQML, CNTS, GML or CM2ML" in decided.reason


def test_voxels_that_are_suv_already_are_those_of_the_files(real_data):
    """A slope per slice (C.8.9.4), by pydicom; i runs to the left and j to the back, as the files have them."""
    folder = real_data / "rtstruct_ct_pet_mr_IBSI" / "dicom" / "STS_003" / "PET" / "image"
    volume = iso.read(folder).volume
    slices = sorted(
        (pydicom.dcmread(p) for p in folder.iterdir()), key=lambda s: float(s.ImagePositionPatient[2])
    )
    assert len({float(s.RescaleSlope) for s in slices}) > 1
    expected = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    assert (volume.unit, volume.grid.axis_codes) == ("SUVbw", "LPS")
    np.testing.assert_allclose(volume.array, expected, rtol=1e-6, atol=1e-6)


def test_twelve_patients_stay_what_they_are_and_can_be_normalised_by_lean_mass(real_data):
    stacks = [
        s for s in iso.index(real_data / "rtstruct_ct_pet_mr_IBSI" / "dicom").stacks if s.modality == "PT"
    ]
    assert len(stacks) == 12
    for stack in stacks:
        stored = decide(stack.suv, "suvbw")
        assert isinstance(stored, Suv)
        assert (stored.factor, stored.unit, stored.assumptions) == (1.0, "SUVbw", ())
        lean = decide(stack.suv, "suvlbm")
        assert isinstance(lean, Suv)
        assert 0.5 < lean.factor < 0.9
    uptakes = [float(u) for s in stacks if (u := s.attribute("uptake_minutes"))]
    # the dates of three were shifted, so that their injections lie a day later than their scans
    assert len(uptakes) == 9
    assert 50 < min(uptakes) < max(uptakes) < 120
