"""Rows of frames: what is shared and what is not, nonsense that is named, counts that must agree, dose grids."""

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS
from tests.contracts.files import ct_dataset, dicom_bytes, item

POSITIONS = [["1", "2", "3"], ["1", "2", "5"], ["1", "2", "7"]]


def place(position):
    return [item(ImagePositionPatient=position)]


def enhanced(frames=None, shared=None, count="3", **changes):
    out = ct_dataset(PixelData=bytes(96 * int(count or 1)), **changes)
    if count is not None:
        out.NumberOfFrames = count
    for keyword in ("PixelSpacing", "SliceThickness", "RescaleSlope", "RescaleIntercept"):
        delattr(out, keyword)
    del out.ImageOrientationPatient, out.ImagePositionPatient
    rows = [item(PlanePositionSequence=place(p)) for p in POSITIONS] if frames is None else frames
    out.SharedFunctionalGroupsSequence = [shared or item()]
    out.PerFrameFunctionalGroupsSequence = rows
    return out


@pytest.fixture
def scan(tmp_path):
    def run(dataset, change=None, syntax=ExplicitVRLittleEndian):
        data = dicom_bytes(dataset, syntax)
        path = tmp_path / "file"
        path.write_bytes(data if change is None else change(data))
        return FORMATS.get("dicom").scan(path, "f7", 0, "")

    return run


def test_what_is_shared_is_in_every_row(scan):
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"])],
        CTXRayDetailsSequence=[item(KVP="120")],
        CTReconstructionSequence=[item(ConvolutionKernel="B70f")],
        CTImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY"])],
        MRTimingAndRelatedParametersSequence=[item(RepetitionTime="500")],
        MRModifierSequence=[item(InversionTimes=[90.0])],
        CardiacSynchronizationSequence=[item(NominalCardiacTriggerDelayTime=40.5)],
        FrameContentSequence=[item(FrameAcquisitionDateTime="20200102030405.5", TemporalPositionIndex=2)],
        SegmentIdentificationSequence=[item(ReferencedSegmentNumber=4)],
    )
    frames = scan(enhanced(shared=shared)).frames
    assert [(f.file_id, f.frame, f.position_mm) for f in frames] == [
        ("f7", 0, (-1, -2, 3)),
        ("f7", 1, (-1, -2, 5)),
        ("f7", 2, (-1, -2, 7)),
    ]
    for frame in frames:
        assert frame.orientation == (0, -1, 0, 0, 0, -1)
        assert (frame.kvp, frame.convolution_kernel, frame.image_type) == (
            120,
            "B70f",
            ("ORIGINAL", "PRIMARY"),
        )
        assert (frame.repetition_time_ms, frame.inversion_time_ms, frame.trigger_time_ms) == (500, 90, 40.5)
        assert (frame.acquisition_time, frame.temporal_position) == ("20200102030405.5", 2)
        assert frame.segment_number == 4
        assert frame.unparsable == ()


def test_what_a_frame_shows_is_part_of_its_image_type(scan):
    rows = [item(PlanePositionSequence=place(p)) for p in POSITIONS]
    for row, component, context in zip(
        rows, ("MAGNITUDE", "PHASE", "PHASE"), (None, "LABEL", ""), strict=True
    ):
        row.MRImageFrameTypeSequence = [
            item(FrameType=["ORIGINAL", "PRIMARY"], ComplexImageComponent=component)
        ]
        if context is not None:
            row.MRArterialSpinLabelingSequence = [item(ASLContext=context)]
    rows[2].MRImageFrameTypeSequence[0].FrameType = ["ORIGINAL", "PRIMARY", "PHASE"]
    found = scan(enhanced(rows))
    assert [f.image_type for f in found.frames] == [
        ("ORIGINAL", "PRIMARY", "MAGNITUDE"),
        ("ORIGINAL", "PRIMARY", "PHASE", "LABEL"),
        ("ORIGINAL", "PRIMARY", "PHASE"),
    ]


def test_a_component_that_all_share_is_part_of_all_image_types(scan):
    shared = item(MRImageFrameTypeSequence=[item(ComplexImageComponent="REAL")])
    assert {f.image_type for f in scan(enhanced(shared=shared)).frames} == {("REAL",)}


def test_a_frame_goes_before_what_is_shared(scan):
    rows = [item(PlanePositionSequence=place(p)) for p in POSITIONS]
    rows[1].MREchoSequence = [item(EffectiveEchoTime=7.0)]
    shared = item(MREchoSequence=[item(EffectiveEchoTime=5.0)])
    assert [f.echo_time_ms for f in scan(enhanced(rows, shared)).frames] == [5, 7, 5]


def test_first_items_only(scan):
    rows = [item(PlanePositionSequence=place(p) + place(["9", "9", "9"])) for p in POSITIONS]
    shared = item(MRDiffusionSequence=[item(DiffusionBValue=800.0), item(DiffusionBValue=900.0)])
    frames = scan(enhanced(rows, shared)).frames
    assert [f.position_mm[2] for f in frames] == [3, 5, 7]
    assert {f.b_value for f in frames} == {800}


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("NaN\\2\\3 ", ()),
        ("1\\2 ", ()),
        ("1_0\\2\\3 ", ()),
        ("x ", ()),
        ("1\\2\\3\\4 ", ()),
        ("1e999\\0\\0 ", ()),
    ],
)
def test_nonsense_is_named(scan, position, expected):
    rows = [item(PlanePositionSequence=place(p)) for p in POSITIONS]
    rows[1].PlanePositionSequence[0].ImagePositionPatient = ["1", "2", "3.00000000000001"]
    found = scan(
        enhanced(rows), lambda data: data.replace(b"1\\2\\3.00000000000001", position.ljust(20).encode())
    )
    assert [f.unparsable for f in found.frames] == [(), ("ImagePositionPatient",), ()]
    assert found.frames[1].position_mm == expected
    assert found.instance.unparsable == ("ImagePositionPatient",)


def test_numbers_beyond_all_sense_are_named(scan):
    shared = item(UnassignedSharedConvertedAttributesSequence=[item(AcquisitionNumber="2147114711")])
    found = scan(enhanced(shared=shared), lambda data: data.replace(b"2147114711", b"1e20      "))
    assert {(f.acquisition_number, f.unparsable) for f in found.frames} == {(None, ("AcquisitionNumber",))}


def test_an_empty_value_is_a_missing_one(scan):
    rows = [item(PlanePositionSequence=place(p)) for p in [POSITIONS[0], None, POSITIONS[2]]]
    frames = scan(enhanced(rows)).frames
    assert [(f.position_mm != (), f.unparsable) for f in frames] == [(True, ()), (False, ()), (True, ())]


def test_values_in_the_clothes_of_un(scan):
    shared = item(MREchoSequence=[item(EffectiveEchoTime=5.0)])
    plain = b"\x18\x00\x82\x90FD\x08\x00"
    unknown = b"\x18\x00\x82\x90UN\0\0\x08\x00\0\0"

    def change(data):
        at = data.index(plain)
        # the item, its sequence, the shared item and the sequence around it become four bytes longer
        for tag, value in ((b"\xfe\xff\x00\xe0\x10\0\0\0", b"\xfe\xff\x00\xe0\x14\0\0\0"),):
            data = data[: at - 8] + data[at - 8 :].replace(tag, value, 1)
        return data.replace(plain, unknown)

    dataset = enhanced(shared=shared)
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        dataset[sequence].is_undefined_length = True
    dataset.SharedFunctionalGroupsSequence[0].is_undefined_length_sequence_item = True
    shared["MREchoSequence"].is_undefined_length = True
    assert {f.echo_time_ms for f in scan(dataset, change).frames} == {5}


def test_texts_in_other_alphabets(scan):
    shared = item(CTReconstructionSequence=[item(ConvolutionKernel="SCHARF Ü")])
    dataset = enhanced(shared=shared, SpecificCharacterSet="ISO_IR 100")
    shared.SpecificCharacterSet = "ISO_IR 100"
    assert {f.convolution_kernel for f in scan(dataset).frames} == {"SCHARF Ü"}


def test_no_diffusion_has_no_direction(scan):
    def diffusion(b_value, direction):
        inner = [item(DiffusionGradientOrientation=direction)]
        return item(
            MRDiffusionSequence=[item(DiffusionBValue=b_value, DiffusionGradientDirectionSequence=inner)]
        )

    rows = [
        diffusion(0.0, [0.0, 0.0, 0.0]),
        diffusion(800.0, [1.0, 0.0, 0.0]),
        diffusion(800.0, [0.6, 0.8, 0.0]),
    ]
    frames = scan(enhanced(rows)).frames
    assert [(f.b_value, f.gradient) for f in frames] == [(0, ()), (800, (-1, 0, 0)), (800, (-0.6, -0.8, 0))]


def test_converted_attributes_stand_in_for_a_macro(scan):
    shared = item(
        UnassignedSharedConvertedAttributesSequence=[item(KVP="100", ConvolutionKernel="SOFT")],
        CTXRayDetailsSequence=[item(KVP="120")],
    )
    frames = scan(enhanced(shared=shared)).frames
    assert {(f.kvp, f.convolution_kernel) for f in frames} == {(120, "SOFT")}


def test_the_number_of_frames_must_agree(scan):
    with pytest.raises(FormatError) as caught:
        scan(enhanced(count="2"))
    assert (caught.value.reason, caught.value.measured, caught.value.expected) == ("file/corrupt", 3, 2)
    assert caught.value.identity["series_uid"]


def test_without_a_number_of_frames_nobody_knows(scan):
    found = scan(enhanced(count=None))
    assert found.frames == ()
    assert found.instance.unparsable == ("NumberOfFrames",)
    one = scan(enhanced([item(PlanePositionSequence=place(POSITIONS[0]))], count=None))
    assert [f.position_mm for f in one.frames] == [(-1, -2, 3)]


def test_classic_objects_have_no_rows(scan):
    assert scan(ct_dataset()).frames == ()


def dose(offsets, count=3, **changes):
    out = ct_dataset(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.481.2", Modality="RTDOSE", NumberOfFrames=str(count), **changes
    )
    out.PixelData = bytes(96 * count)
    out.ImagePositionPatient = ["-10", "-20", "30"]
    out.GridFrameOffsetVector = offsets
    return out


class TestDose:
    def test_offsets_along_the_normal(self, scan):
        found = scan(dose(["0", "2", "5"], ImageOrientationPatient=["1", "0", "0", "0", "0", "-1"]))
        assert found.kind == "dicom-rtdose"
        assert [f.position_mm for f in found.frames] == [(10, 20, 30), (10, 18, 30), (10, 15, 30)]
        assert found.frames[0].orientation == (-1, 0, 0, 0, 0, -1)
        assert found.frames[2].pixel_spacing_mm == (0.5, 0.75)

    def test_positions_in_the_patient(self, scan):
        frames = scan(dose(["30", "28", "25"])).frames
        assert [f.position_mm for f in frames] == [(10, 20, 30), (10, 20, 28), (10, 20, 25)]

    @pytest.mark.parametrize("offsets", [["7", "8", "9"], ["0", "2"], "0"])
    def test_offsets_that_mean_nothing(self, scan, offsets):
        found = scan(dose(offsets))
        assert (found.frames, found.instance.unparsable) == ((), ("GridFrameOffsetVector",))

    def test_no_offsets(self, scan):
        found = scan(dose([]))
        assert (found.frames, found.instance.unparsable) == ((), ())

    def test_absolute_offsets_are_for_transverse_planes(self, scan):
        oblique = dose(["30", "28", "25"], ImageOrientationPatient=["1", "0", "0", "0", "0", "-1"])
        assert scan(oblique).frames == ()
