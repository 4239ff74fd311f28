"""The structure of data sets, and the rows of their frames, against what pydicom makes of the same files."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from isocenter.formats.dicom.survey import check_structure
from isocenter.formats.image import FORMATS
from isocenter.formats.limits import DEFAULT_LIMITS
from tests.contracts.files import ct_dataset, dicom_bytes, item

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
TEXTS = ("PatientName", "PatientID", "SeriesDescription", "ProtocolName", "Manufacturer", "StudyID")
SEQUENCES = ("ReferencedStudySequence", "RequestAttributesSequence", "ProcedureCodeSequence")


def anything(rng, depth=0):
    """A data set of random texts, numbers and sequences in sequences."""
    out = Dataset()
    for keyword in rng.permutation(TEXTS)[: rng.integers(0, 6)]:
        setattr(out, str(keyword), "x" * int(rng.integers(0, 16)))
    out.add_new(0x00091010, "OB", bytes(2 * int(rng.integers(0, 50))))
    if rng.random() < 0.5:
        out.SelectorFDValue = rng.normal(size=int(rng.integers(1, 5))).tolist()
    for keyword in SEQUENCES:
        if depth < 4 and rng.random() < 0.6:
            items = [anything(rng, depth + 1) for _ in range(rng.integers(0, 4))]
            for one in items:
                one.is_undefined_length_sequence_item = bool(rng.random() < 0.5)
            setattr(out, keyword, Sequence(items))
            out[keyword].is_undefined_length = bool(rng.random() < 0.5)
    return out


def measure(dataset, depth=0):
    """Elements, deepest sequence, items of the longest sequence: as pydicom sees them."""
    elements, deepest, items = 0, depth, 0
    for element in dataset:
        elements += 1
        if element.VR == "SQ":
            is_open = len(element.value) or element.is_undefined_length
            deepest = max(deepest, depth + 1) if is_open else deepest
            items = max(items, len(element.value))
            for one in element.value:
                inner = measure(one, depth + 1)
                elements, deepest, items = elements + inner[0], max(deepest, inner[1]), max(items, inner[2])
    return elements, deepest, items


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
@pytest.mark.parametrize("seed", range(12))
def test_structures_are_those_that_pydicom_sees(seed, syntax):
    dataset = anything(np.random.default_rng(seed))
    dataset.update(ct_dataset())
    data = dicom_bytes(dataset, syntax)
    seen = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    elements, deepest, items = measure(seen)
    found = check_structure(io.BytesIO(data), len(data), DEFAULT_LIMITS)
    assert (found.elements, found.depth, found.items) == (elements + len(seen.file_meta), deepest, items)
    assert found.is_complete
    assert found.is_big == (syntax == ExplicitVRBigEndian)


def enhanced(rng, frames):
    """An enhanced object of random planes, with what is shared chosen at random too."""
    out = ct_dataset(
        NumberOfFrames=frames, PixelData=bytes(96 * frames), PixelSpacing=None, RescaleSlope=None
    )
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "RescaleIntercept", "SliceThickness"):
        delattr(out, keyword)
    shared, rows = Dataset(), [Dataset() for _ in range(frames)]
    per_frame = {
        "PlanePositionSequence": lambda: item(ImagePositionPatient=rng.normal(size=3).round(5).tolist()),
        "PlaneOrientationSequence": lambda: item(
            ImageOrientationPatient=rng.normal(size=6).round(5).tolist()
        ),
        "PixelMeasuresSequence": lambda: item(
            PixelSpacing=rng.random(2).round(4).tolist(), SliceThickness=str(rng.random().__round__(3))
        ),
        "PixelValueTransformationSequence": lambda: item(
            RescaleSlope=str(rng.integers(1, 9)), RescaleIntercept=str(rng.integers(-9, 9)), RescaleType="HU"
        ),
        "MREchoSequence": lambda: item(EffectiveEchoTime=float(rng.random())),
        "MRDiffusionSequence": lambda: item(
            DiffusionBValue=float(rng.integers(0, 2000)),
            DiffusionGradientDirectionSequence=[
                item(DiffusionGradientOrientation=rng.normal(size=3).tolist())
            ],
        ),
        "FrameContentSequence": lambda: item(
            StackID=str(rng.integers(9)),
            InStackPositionNumber=int(rng.integers(1, 99)),
            DimensionIndexValues=rng.integers(1, 99, 3).tolist(),
            FrameAcquisitionNumber=int(rng.integers(99)),
        ),
    }
    for keyword, make in per_frame.items():
        if rng.random() < 0.3:
            setattr(shared, keyword, [make()])
        else:
            for row in rows:
                setattr(row, keyword, [make()])
    out.SharedFunctionalGroupsSequence, out.PerFrameFunctionalGroupsSequence = [shared], rows
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        out[keyword].is_undefined_length = bool(rng.random() < 0.5)
        for one in out[keyword].value:
            one.is_undefined_length_sequence_item = bool(rng.random() < 0.5)
    return out


def macro(seen, n, keyword):
    row = seen.PerFrameFunctionalGroupsSequence[n]
    return (row if keyword in row else seen.SharedFunctionalGroupsSequence[0])[keyword].value[0]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.name)
@pytest.mark.parametrize("seed", range(8))
def test_frames_are_those_that_pydicom_sees(seed, syntax, tmp_path):
    data = dicom_bytes(enhanced(np.random.default_rng(seed), 5), syntax)
    path = tmp_path / "file"
    path.write_bytes(data)
    scan = FORMATS.get("dicom").scan(path, "f", 0, "")
    seen = pydicom.dcmread(io.BytesIO(data))
    assert [f.frame for f in scan.frames] == list(range(5))
    for n, frame in enumerate(scan.frames):
        assert frame.unparsable == ()
        x, y, z = macro(seen, n, "PlanePositionSequence").ImagePositionPatient
        assert frame.position_mm == (-x, -y, z)
        directions = np.array(macro(seen, n, "PlaneOrientationSequence").ImageOrientationPatient, float)
        assert np.array_equal(frame.orientation, directions * [-1, -1, 1, -1, -1, 1])
        measures = macro(seen, n, "PixelMeasuresSequence")
        assert frame.pixel_spacing_mm == tuple(measures.PixelSpacing)
        assert frame.slice_thickness_mm == measures.SliceThickness
        values = macro(seen, n, "PixelValueTransformationSequence")
        assert (frame.rescale_slope, frame.rescale_intercept) == (
            values.RescaleSlope,
            values.RescaleIntercept,
        )
        assert frame.rescale_type == "HU"
        assert frame.echo_time_ms == macro(seen, n, "MREchoSequence").EffectiveEchoTime
        diffusion = macro(seen, n, "MRDiffusionSequence")
        x, y, z = diffusion.DiffusionGradientDirectionSequence[0].DiffusionGradientOrientation
        assert (frame.b_value, frame.gradient) == (diffusion.DiffusionBValue, (-x, -y, z))
        content = macro(seen, n, "FrameContentSequence")
        assert (frame.stack_id, frame.in_stack_position) == (content.StackID, content.InStackPositionNumber)
        assert frame.dimension_index == tuple(content.DimensionIndexValues)
        assert frame.acquisition_number == content.FrameAcquisitionNumber
