"""Real enhanced objects: rows of frames against pydicom, and enhanced against classic."""

import gzip
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.survey import check_structure
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.formats.limits import DEFAULT_LIMITS

pytestmark = pytest.mark.real
TO_RAS = [-1, -1, 1]
ENHANCED = [
    "mr_enhanced_siemens_philips/In/Philips/IM_0027_fMAP.dcm",
    *(f"mr_enhanced_siemens_philips/In/Siemens/XA10/6_{n}.dcm" for n in range(1, 5)),
    "mr_philips_classic_vs_enhanced/In/enh/1901_WIP_3DpCASL_real.dcm.gz",
    "dicom_seg_ct/liver.dcm",
    "dicom_seg_ct/24x38x3/seg/label.seg",
    "dicom_seg_ct/24x38x3/multiframe/mf.dcm",
    "dicom_seg_compressed_variants/liver_deflate.dcm",
    "dicom_seg_compressed_variants/liver_expb.dcm",
    "dicom_seg_compressed_variants/liver_rle.dcm",
]


def first(groups: list[pydicom.Dataset], *names: str) -> object:
    """The value behind a path of sequences, in the frame's groups or else in the shared ones."""
    for group in groups:
        here = group
        for name in names[:-1]:
            here = here[name].value[0] if here is not None and name in here and here[name].value else None
        if here is not None and here.get(names[-1]) is not None:
            return here.get(names[-1])
    return None


NUMBERS = {
    "slice_thickness_mm": ("PixelMeasuresSequence", "SliceThickness"),
    "spacing_between_slices_mm": ("PixelMeasuresSequence", "SpacingBetweenSlices"),
    "rescale_slope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "rescale_intercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "rescale_type": ("PixelValueTransformationSequence", "RescaleType"),
    "stack_id": ("FrameContentSequence", "StackID"),
    "in_stack_position": ("FrameContentSequence", "InStackPositionNumber"),
    "temporal_position": ("FrameContentSequence", "TemporalPositionIndex"),
    "acquisition_time": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "acquisition_number": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "echo_time_ms": ("MREchoSequence", "EffectiveEchoTime"),
    "repetition_time_ms": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "segment_number": ("SegmentIdentificationSequence", "ReferencedSegmentNumber"),
}


@pytest.mark.parametrize("name", ENHANCED)
def test_rows_are_what_pydicom_reads(name: str, real_data: Path) -> None:
    path = real_data / name
    data = path.read_bytes()
    seen = pydicom.dcmread(io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data))
    found = FORMATS.get("dicom").scan(path, "f", 0, "")
    shared = list(seen.SharedFunctionalGroupsSequence)
    assert len(found.frames) == seen.NumberOfFrames == len(seen.PerFrameFunctionalGroupsSequence)
    for frame, row in zip(found.frames, seen.PerFrameFunctionalGroupsSequence, strict=True):
        groups = [row, *shared]
        assert frame.unparsable == ()
        position = first(groups, "PlanePositionSequence", "ImagePositionPatient")
        assert np.array_equal(frame.position_mm, np.array(position, float) * TO_RAS)
        orientation = first(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
        assert np.array_equal(frame.orientation, np.array(orientation, float) * (TO_RAS + TO_RAS))
        assert frame.pixel_spacing_mm == tuple(first(groups, "PixelMeasuresSequence", "PixelSpacing"))
        for field, names in NUMBERS.items():
            assert getattr(frame, field) == first(groups, *names), field
        index = first(groups, "FrameContentSequence", "DimensionIndexValues")
        assert frame.dimension_index == tuple(np.atleast_1d(index if index is not None else []))


def test_enhanced_and_classic_hold_the_same_planes(real_data: Path) -> None:
    folder = real_data / "mr_philips_classic_vs_enhanced" / "In"
    scan = FORMATS.get("dicom").scan
    enhanced = scan(next((folder / "enh").iterdir()), "e", 0, "")
    classic = [scan(p, "c", 0, "").instance for p in sorted((folder / "cl").iterdir())]
    planes = sorted(enhanced.frames, key=lambda f: f.position_mm[2])
    singles = sorted((c for c in classic if c is not None), key=lambda c: c.position_mm[2])
    assert len(planes) == len(singles) == 40
    for plane, single in zip(planes, singles, strict=True):
        assert np.allclose(plane.position_mm, single.position_mm, atol=1e-6)
        assert np.allclose(plane.orientation, single.orientation, atol=1e-6)
        assert plane.pixel_spacing_mm == single.pixel_spacing_mm
        assert plane.echo_time_ms == single.echo_time_ms
        assert plane.slice_thickness_mm == single.slice_thickness_mm
    whole = enhanced.instance
    assert whole is not None
    assert whole.pixel_spacing_mm == singles[0].pixel_spacing_mm
    assert whole.repetition_time_ms == pytest.approx(singles[0].repetition_time_ms)


def test_planes_of_a_dose_grid(real_data: Path) -> None:
    path = real_data / "malformed_and_odd_pydicom" / "test_files" / "rtdose.dcm"
    seen = pydicom.dcmread(path)
    frames = FORMATS.get("dicom").scan(path, "f", 0, "").frames
    heights = [frame.position_mm[2] for frame in frames]
    assert np.allclose(heights, seen.ImagePositionPatient[2] + np.array(seen.GridFrameOffsetVector, float))


def test_a_segmentation_without_a_number_of_frames(real_data: Path) -> None:
    """It is of type 1 (PS3.3 C.7.6.6), and three functional groups belong to no single frame."""
    path = real_data / "malformed_and_odd_pydicom" / "test_files" / "liver_1frame.dcm"
    with pytest.raises(FormatError) as caught:
        FORMATS.get("dicom").scan(path, "f", 0, "")
    assert caught.value.reason == "file/corrupt"


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_structure_can_be_followed(real_data: Path) -> None:
    """To the pixel data or the end; counted against pydicom on every hundredth file."""
    followed = counted = 0
    for path in sorted(p for p in real_data.rglob("*") if p.is_file() and p.suffix != ".gz"):
        with path.open("rb") as file:
            if format_of(file.read(HEAD_BYTES)) != "dicom":
                continue
            size = file.seek(0, 2)
            try:
                found = check_structure(file, size, DEFAULT_LIMITS)
            except FormatError as error:
                assert error.reason == "file/truncated", path.name  # noqa: PT017 - most files raise nothing
                continue
        assert found.is_complete, path.name
        followed += 1
        if followed % 100 == 0:
            seen = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            elements = sum(1 for _ in seen.iterall())
            assert found.elements == elements + len(seen.file_meta), path.name
            counted += 1
    assert followed > 2300
    assert counted > 20
