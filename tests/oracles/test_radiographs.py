"""Radiographs from file to loader: sides, views, spacing, and the picture that was seen, as pydicom shows it."""

import numpy as np
import pytest
from pydicom.pixels import apply_windowing
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

import isocenter as iso
from isocenter.base import tables
from isocenter.imaging.windows import apply, voi_of
from isocenter.model.rows import Stack
from tests.contracts.files import ct_dataset, dicom_bytes, item

DX, MG = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.2"
PIXELS = np.random.default_rng(4).integers(0, 4096, (6, 8)).astype("<u2")


def an_exposure(number=0, pixels=PIXELS, **changes):
    out = ct_dataset(
        number, SOPClassUID=DX, Modality="DX", PixelSpacing=None, ImageOrientationPatient=None,
        ImagePositionPatient=None, SliceThickness=None, BitsStored=12, HighBit=11, PixelRepresentation=0,
        RescaleIntercept="0", RescaleType="US", PresentationIntentType="FOR PRESENTATION", ImageType=["ORIGINAL", "PRIMARY"],
        BurnedInAnnotation="NO", ImagerPixelSpacing=["0.2", "0.1"], PixelData=pixels.tobytes(),
    )  # fmt: skip
    for keyword, value in changes.items():
        setattr(out, keyword, value)
    return out


def index_of(folder, *exposures):
    (folder / "in").mkdir()
    for n, one in enumerate(exposures):
        (folder / "in" / f"{n}.dcm").write_bytes(dicom_bytes(one))
    iso.index(folder / "in", workspace=folder / "work", jobs=1)
    return sorted(
        tables.read(folder / "work" / "index" / "stacks.parquet", Stack), key=lambda s: s.attribute("kvp")
    )


def attributes_of(folder, **changes):
    (stack,) = index_of(folder, an_exposure(**changes))
    return {a.name: a.value for a in stack.attributes if a.value}


@pytest.mark.parametrize("function", ["", "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("slope", "intercept"), [("1", "0"), ("2", "-100")])
def test_the_window_of_the_header_shows_what_a_viewer_shows(
    tmp_path, function, photometric, slope, intercept
):
    """Window first, then inversion for MONOCHROME1 (PS3.3 C.7.6.3.1.2): the other way round here, and the same."""
    one = an_exposure(
        PhotometricInterpretation=photometric, WindowCenter=["1700", "900"], WindowWidth=["1200", "300"],
        RescaleSlope=slope, RescaleIntercept=intercept,
    )  # fmt: skip
    if function:
        one.VOILUTFunction = function
    (stack,) = index_of(tmp_path, one)
    volume = iso.read(tmp_path / "in").volume
    window = voi_of({a.name: a.value for a in stack.attributes})
    values = PIXELS.astype(float) * float(slope) + float(intercept)
    span = 4095 * float(slope)
    one.RescaleSlope, one.RescaleIntercept = slope, intercept
    shown = (apply_windowing(values, one) - float(intercept)) / span
    shown = 1 - shown if photometric == "MONOCHROME1" else shown
    assert np.abs(apply(volume.array[0], window) - shown).max() < 2e-6
    assert ("read/inverted" in {i.rule for i in volume.issues}) == (photometric == "MONOCHROME1")


@pytest.mark.parametrize(("rescale_type", "is_turned"), [("US", True), ("", True), ("OD", False)])
def test_only_numbers_without_a_meaning_are_inverted(tmp_path, rescale_type, is_turned):
    one = an_exposure(PhotometricInterpretation="MONOCHROME1", RescaleType=rescale_type)
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(one))
    volume = iso.read(tmp_path).volume
    assert np.array_equal(volume.array[0], 4095 - PIXELS if is_turned else PIXELS)
    told = {"read/inverted", "read/monochrome1-kept"} & {i.rule for i in volume.issues}
    assert told == {"read/inverted" if is_turned else "read/monochrome1-kept"}


def test_padding_beyond_the_stored_bits_does_not_keep_a_negative_from_being_inverted(tmp_path):
    pixels = PIXELS.copy()
    pixels[:, 0] = 65535
    one = an_exposure(pixels=pixels, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=65535)
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(one))
    volume = iso.read(tmp_path).volume
    assert np.array_equal(volume.array[0, :, 1:], 4095 - PIXELS[:, 1:])
    assert (volume.array[0, :, 0] == 0).all()
    assert not volume.valid[0, :, 0].any()


def test_a_window_that_is_none_is_left_out(tmp_path):
    found = attributes_of(
        tmp_path, WindowCenter="100", WindowWidth="0", VOILUTSequence=Sequence([item(LUTExplanation="x")])
    )
    assert {n for n in found if n.startswith("voi")} == {"voi_lut"}


def test_views_and_sides_of_a_series_are_those_of_each_image(tmp_path):
    views = ["CranioCaudal", "MedioLateralObliqueProjection", "MedioLateralProjection"]
    exposures = []
    for n, name in enumerate(views):
        code = getattr(codes.cid4014, name)
        view = item(CodeValue=code.value, CodingSchemeDesignator="SCT", CodeMeaning=code.meaning)
        exposures.append(
            an_exposure(
                n, SOPClassUID=MG, Modality="MG", ViewCodeSequence=Sequence([view]), ImageLaterality="RLR"[n],
                PatientOrientation=["P", "L"], InstanceNumber=n, KVP=str(25 + n),
            )
        )  # fmt: skip
    exposures[1].Laterality = "R"
    stacks = index_of(tmp_path, *exposures)
    assert [(s.attribute("view"), s.attribute("laterality")) for s in stacks] == [
        ("CC", "R"),
        ("MLO", "L"),
        ("ML", "R"),
    ]
    assert [s.attribute("laterality_of_series") for s in stacks] == ["", "R", ""]
    assert {s.attribute("patient_orientation") for s in stacks} == {"P/L"}
    assert {s.attribute("presentation_intent") for s in stacks} == {"presentation"}


def test_free_text_of_devices_does_not_become_an_attribute(tmp_path):
    found = attributes_of(
        tmp_path, ViewPosition="MEYER JO", ImageLaterality="X", PatientOrientation=["MEYER", "F"], VOILUTFunction="MEYER",
        WindowCenter="1", WindowWidth="2", PresentationIntentType="MEYER",
    )  # fmt: skip
    assert not {
        "view",
        "laterality",
        "patient_orientation",
        "voi_function",
        "voi_centre",
        "presentation_intent",
    } & set(found)


def test_the_grid_has_the_spacing_that_is_named(tmp_path):
    (stack,) = index_of(tmp_path, an_exposure(EstimatedRadiographicMagnificationFactor="1.25"))
    assert stack.spacing_mm == pytest.approx((1.0, 0.16, 0.08))
    assert (stack.attribute("spacing_kind"), stack.attribute("detector_spacing_mm")) == ("magnified", "0.2")
    assert stack.attribute("magnification") == "1.25"
