"""What PET objects say of tracer, times and scale, in every way that it can be encoded."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

import isocenter as iso
from isocenter.base.errors import ConfigError
from isocenter.formats.dicom.tracer import tracer_texts
from isocenter.formats.images import dicom
from isocenter.model.issue import Severity, Verdict
from isocenter.testing.simulate.broken.scan import Scan, changed, encoded, packed

PHILIPS = (0x7053, "Philips PET Private Group")


def tracer(**changes):
    out = Dataset()
    out.Radiopharmaceutical = "FDG for Jane Doe"
    out.RadiopharmaceuticalStartDateTime = "20240311091500"
    out.RadionuclideTotalDose, out.RadionuclideHalfLife = "300000000", "6586.2"
    for keyword, value in changes.items():
        setattr(out, keyword, value)
    return out


def pet(**changes):
    """A scan from 10:15:00 on, an hour after the injection."""
    told = {"Units": "BQML", "PatientWeight": "60", "RadiopharmaceuticalInformationSequence": [tracer()]}
    return changed(Scan(modality="PT", slices=6).objects(), **told | changes)


def write(folder, objects, syntax="1.2.840.10008.1.2.1"):
    for name, data in packed(objects, syntax).items():
        (folder / name).write_bytes(data)
    return folder


def scanned(folder, one, syntax="1.2.840.10008.1.2.1"):
    path = folder / "one.dcm"
    path.write_bytes(encoded(one, syntax))
    return dict(t.split("=", 1) for t in dicom.scan(path, "fil", 0, "site").instance.pet)


def test_only_what_is_asked_for_gets_out(tmp_path):
    found = scanned(tmp_path, pet()[0])
    assert found["Nuclide"] == "F-18"
    assert found["RadionuclideTotalDose"] == "300000000"
    assert "Jane" not in str(found)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("block", [0x10, 0x42])
def test_private_factors_are_found_in_any_block_and_encoding(tmp_path, syntax, block):
    one = pet()[0]
    one.add_new(0x70530000 + block, "LO", PHILIPS[1])
    one.add_new(0x70530000 + (block << 8), "DS", "0.000551")
    one.add_new(0x70530009 + (block << 8), "DS", "1.62")
    if syntax == "1.2.840.10008.1.2.2":  # big-endian, which the scan's pixels are not written in
        data = pydicom.Dataset(one)
        del data.PixelData
        found = dict(t.split("=", 1) for t in tracer_texts(data))
    else:
        found = scanned(tmp_path, one, syntax)
    assert (found["PhilipsSUVFactor"], found["PhilipsActivityFactor"]) == ("0.000551", "1.62")


def test_the_block_of_another_maker_is_not_taken(tmp_path):
    one = pet()[0]
    one.add_new(0x70530010, "LO", "Somebody else")
    one.add_new(0x70531000, "DS", "0.000551")
    assert "PhilipsSUVFactor" not in scanned(tmp_path, one)


def test_what_is_no_pet_says_nothing(tmp_path):
    one = changed(Scan(slices=6).objects(), RadiopharmaceuticalInformationSequence=[tracer()])[0]
    assert scanned(tmp_path, one) == {}


# 60 kg, 300 MBq, 3600 s after the injection
FACTOR = 60_000 / (300e6 * 0.6846329195720)


def test_a_folder_is_read_as_suv(tmp_path):
    volume = iso.read(write(tmp_path, pet())).volume
    stored = iso.read(tmp_path, pet="stored").volume
    assert (volume.unit, stored.unit) == ("SUVbw", "Bq/ml")
    np.testing.assert_allclose(volume.array, stored.array * FACTOR, rtol=1e-6)
    assert volume.array.dtype == np.float32


def test_slices_of_all_beds_get_the_one_factor(tmp_path):
    """Their acquisition times differ, and Series Time was rewritten: the first acquisition counts."""
    objects = pet(SeriesTime="235900")
    for n, one in enumerate(objects):
        one.AcquisitionTime = "101500" if n < 3 else "101800"
    volume = iso.read(write(tmp_path, objects)).volume
    assert float(volume.provenance["suv_factor"]) == pytest.approx(FACTOR, rel=1e-8)


def test_another_normalisation_is_asked_for_by_name(tmp_path):
    reading = iso.read(write(tmp_path, pet(PatientSize="1.6", PatientSex="F")), pet="suvbsa")
    # 71.84 * 60 ** 0.425 * 160 ** 0.725 = 16220.63 cm2
    assert reading.volume.unit == "SUVbsa"
    assert float(reading.volume.provenance["suv_factor"]) == pytest.approx(
        FACTOR * 16_220.625 / 60_000, rel=1e-5
    )


def test_what_cannot_be_converted_is_read_as_stored_and_up_for_review(tmp_path):
    reading = iso.read(write(tmp_path, pet(PatientWeight="0")))
    (verdict,) = reading.verdicts.values()
    assert reading.volume.unit == "Bq/ml"
    assert verdict.verdict is Verdict.REVIEW
    told = {(i.rule, i.severity, i.message) for i in verdict.issues if i.severity is not Severity.NOTE}
    assert told == {
        ("read/no-suv", Severity.REVIEW, "no SUV: Patient's Weight (0010,1030) is 0, which is no weight")
    }


def test_no_known_word_is_a_wrong_question(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'suvbw'"):
        iso.read(write(tmp_path, pet()), pet="suvwb")


def test_enhanced_objects_have_the_same_tracer(tmp_path):
    """Decay is corrected to the moment that Decay Correction DateTime names (C.8.22)."""
    first, *_ = objects = pet(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.130",
        DecayCorrection=None,
        CorrectedImage=None,
        DecayCorrected="YES",
        AttenuationCorrected="YES",
        DecayCorrectionDateTime="20240311101500",
        AcquisitionDateTime="20240311101500",
    )
    shared, frames = Dataset(), []
    measures, orientation, values = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = "2", "0", "US"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    shared.PixelValueTransformationSequence = [values]
    for one in objects:
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    first.SharedFunctionalGroupsSequence, first.PerFrameFunctionalGroupsSequence = [shared], frames
    first.NumberOfFrames, first.PixelData = len(frames), b"".join(one.PixelData for one in objects)
    (tmp_path / "enhanced.dcm").write_bytes(encoded(first))
    volume, stored = iso.read(tmp_path).volume, iso.read(tmp_path, pet="stored").volume
    assert volume.unit == "SUVbw"
    assert stored.array.max() > 100
    np.testing.assert_allclose(volume.array, stored.array * FACTOR, rtol=1e-6)
