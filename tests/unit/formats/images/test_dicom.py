"""What a scan tells: kind, instance, frames; limits that are reached come with the object's identity."""

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS
from isocenter.formats.limits import Limits
from tests.contracts.files import SERIES, STUDY, ct_bytes, ct_dataset, dicom_bytes, item

DICOM = FORMATS.get("dicom")


@pytest.fixture
def scan(tmp_path):
    def run(data, **options):
        path = tmp_path / "file"
        path.write_bytes(data)
        return DICOM.scan(path, "f", 0, "site", **options)

    return run


def enhanced(shared, frames, count=None):
    out = ct_dataset(PixelData=bytes(96 * (count or len(frames))))
    for keyword in ("PixelSpacing", "SliceThickness", "RescaleSlope", "RescaleIntercept"):
        delattr(out, keyword)
    del out.ImageOrientationPatient, out.ImagePositionPatient
    out.NumberOfFrames = count or len(frames)
    out.SharedFunctionalGroupsSequence = [shared]
    if frames:
        out.PerFrameFunctionalGroupsSequence = frames
    return dicom_bytes(out)


SHARED = {
    "PixelMeasuresSequence": [
        item(PixelSpacing=["0.5", "0.75"], SliceThickness="2", SpacingBetweenSlices="3")
    ],
    "PlaneOrientationSequence": [item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])],
    "PixelValueTransformationSequence": [item(RescaleSlope="2", RescaleIntercept="-9", RescaleType="HU")],
    "CTReconstructionSequence": [item(ConvolutionKernel="B70f")],
    "CTXRayDetailsSequence": [item(KVP="120")],
    "MREchoSequence": [item(EffectiveEchoTime=5.0)],
    "MRTimingAndRelatedParametersSequence": [item(RepetitionTime="500")],
    "MRDiffusionSequence": [item(DiffusionBValue=800.0)],
}


def frame(z, **more):
    return item(PlanePositionSequence=[item(ImagePositionPatient=["1", "2", str(z)])], **more)


def check_shared(instance):
    assert (instance.pixel_spacing_mm, instance.slice_thickness_mm) == ((0.5, 0.75), 2)
    assert (instance.spacing_between_slices_mm, instance.orientation) == (3, (-1, 0, 0, 0, -1, 0))
    assert (instance.rescale_slope, instance.rescale_intercept, instance.rescale_type) == (2, -9, "HU")
    assert (instance.convolution_kernel, instance.kvp) == ("B70f", 120)
    assert (instance.echo_time_ms, instance.repetition_time_ms, instance.b_value) == (5, 500, 800)
    assert instance.unparsable == ()


def test_an_instance_says_what_its_frames_share(scan):
    found = scan(enhanced(item(**SHARED), [frame(1), frame(2)]))
    assert (found.kind, found.instance.frames, len(found.frames)) == ("dicom-image", 2, 2)
    check_shared(found.instance)
    assert found.instance.position_mm == ()


def test_what_every_frame_repeats_is_shared_too(scan):
    found = scan(enhanced(item(), [frame(1, **SHARED), frame(2, **SHARED)]))
    check_shared(found.instance)


def test_without_rows_the_shared_groups_still_count(scan):
    found = scan(enhanced(item(**SHARED), [], count=3))
    assert found.frames == ()
    check_shared(found.instance)


def test_frames_that_differ_leave_it_open(scan):
    other = dict(SHARED, PixelMeasuresSequence=[item(PixelSpacing=["0.6", "0.75"], SliceThickness="2")])
    found = scan(enhanced(item(), [frame(1, **SHARED), frame(2, **other)])).instance
    assert (found.pixel_spacing_mm, found.slice_thickness_mm, found.spacing_between_slices_mm) == (
        (),
        2,
        None,
    )


def test_the_header_goes_before_the_frames(scan):
    data = enhanced(item(**SHARED), [frame(1)])
    place = data.index(b"\x28\x00\x02\x00US")
    found = scan(data[:place] + data[place:].replace(b"\x28\x00\x06\x01", b"\x28\x00\x06\x01"))
    assert found.instance.position_mm == (-1, -2, 1)
    assert found.instance.modality == "CT"


@pytest.mark.parametrize(
    ("limits", "measured"),
    [
        (Limits(elements=10), "11 elements"),
        (Limits(value_bytes=20), "26 bytes in a text"),
        (Limits(header_bytes=300), None),
        (Limits(seconds=1e-9), None),
    ],
)
def test_limits_are_told_with_the_identity(scan, limits, measured):
    with pytest.raises(FormatError) as caught:
        scan(ct_bytes(), limits=limits)
    assert caught.value.reason == "file/limit"
    assert measured in {None, caught.value.measured}
    expected = {} if limits.seconds < 1 else {"series_uid": SERIES, "study_uid": STUDY}
    assert {k: v for k, v in caught.value.identity.items() if k in expected} == expected


def test_frames_are_none_of_a_classic_image(scan):
    found = scan(ct_bytes(), limits=Limits())
    assert (found.frames, found.kind, found.instance.site) == ((), "dicom-image", "site")
