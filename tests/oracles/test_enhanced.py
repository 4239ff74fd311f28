"""Voxels of objects of several frames against what pydicom decodes, frame by frame with its own slope."""

import gzip
import io

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.volume import read_volume
from isocenter.model.rows import Stack
from tests.contracts.files import ct_dataset, dicom_bytes, item
from tests.unit.formats.dicom.mosaics import mosaic_dataset

ROWS, COLUMNS, FRAMES = 6, 8, 7
NATIVE = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)


def stored(seed=0, dtype="<i2"):
    return np.random.default_rng(seed).integers(0, 2000, (FRAMES, ROWS, COLUMNS)).astype(dtype)


def enhanced(values, *, modality="CT", per_frame=None, **changes):
    """An enhanced object of some frames; `per_frame` are their slopes and intercepts."""
    out = ct_dataset(
        Modality=modality,
        RescaleSlope=None,
        RescaleIntercept=None,
        NumberOfFrames=str(len(values)),
        PixelData=values.tobytes(),
        PixelRepresentation=int(values.dtype.kind == "i"),
        **changes,
    )
    out.PerFrameFunctionalGroupsSequence = Sequence(
        item(PlanePositionSequence=[item(ImagePositionPatient=["0", "0", str(n)])])
        for n in range(len(values))
    )
    for row, (slope, intercept) in zip(out.PerFrameFunctionalGroupsSequence, per_frame or [], strict=False):
        row.PixelValueTransformationSequence = [
            item(RescaleSlope=str(slope), RescaleIntercept=str(intercept), RescaleType="US")
        ]
    return out


def stack_of(frames, *, modality="CT", shape=(ROWS, COLUMNS), **changes):
    count = len(frames)
    return Stack(
        id="s",
        series="",
        study="",
        subject="",
        site="",
        source=0,
        timepoint="",
        format="dicom",
        modality=modality,
        files=("f",) * count,
        instances=("i",) * count,
        frames=tuple(frames),
        shape=(count, *shape),
        affine=tuple(np.eye(4).ravel().tolist()),
        multi_frame=True,
        **changes,
    )


@pytest.fixture
def written(tmp_path):
    def write(data, name="file"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda s: s.name)
def test_hounsfield_values_of_native_frames(syntax, written):
    values = stored()
    scales = [(1 + n % 3, -1000 - n) for n in range(FRAMES)]
    # big endian swaps what pydicom writes as words
    data = values.astype(">i2") if syntax == uid.ExplicitVRBigEndian else values
    path = written(dicom_bytes(enhanced(data, per_frame=scales), syntax))
    frames = [5, 0, 3, 6]
    volume = read_volume(stack_of(frames), [path] * 4)
    expected = [values[n] * float(scales[n][0]) + scales[n][1] for n in frames]
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array, expected)
    assert [s.frame for s in volume.slices] == frames
    assert volume.facts.minimum.tolist() == [e.min() for e in expected]
    assert volume.facts.maximum.tolist() == [e.max() for e in expected]


def test_pet_and_mr_are_scaled_frame_by_frame(written):
    values = stored(1, "<u2")
    scales = [(0.25 * (n + 1), 0) for n in range(FRAMES)]
    for modality in ("PT", "MR"):
        path = written(dicom_bytes(enhanced(values, modality=modality, per_frame=scales)))
        slopes = tuple(s for s, _ in scales)
        volume = read_volume(
            stack_of(range(FRAMES), modality=modality, rescale_slopes=slopes), [path] * FRAMES
        )
        assert volume.array.dtype == np.float32
        expected = values * np.array(slopes)[:, None, None]
        assert np.array_equal(volume.array, expected.astype(np.float32))


def test_stored_values_stay_where_nothing_scales_them(written):
    values = stored(2, "<u2")
    path = written(gzip.compress(dicom_bytes(enhanced(values, modality="MR"))))
    volume = read_volume(stack_of([6, 1], modality="MR", dtype="uint16"), [path] * 2)
    assert volume.array.dtype == np.uint16
    assert np.array_equal(volume.array, values[[6, 1]])
    assert volume.unit == "stored"


def compressed(values, syntax, table):
    encode = {
        uid.JPEG2000Lossless: lambda v: imagecodecs.jpeg2k_encode(v, reversible=True),
        uid.JPEGLSLossless: imagecodecs.jpegls_encode,
        uid.JPEGLosslessSV1: lambda v: imagecodecs.ljpeg_encode(v, bitspersample=16),
    }[syntax]
    frames = [bytes(encode(np.ascontiguousarray(v))) for v in values]
    out = enhanced(values, modality="MR")
    if table == "extended":
        out.PixelData, out.ExtendedOffsetTable, out.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        out.PixelData = encapsulate(frames, has_bot=table == "basic")
    return out


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.JPEGLSLossless, uid.JPEGLosslessSV1])
def test_compressed_frames_are_those_that_were_compressed(syntax, table, written):
    values = stored(3, "<u2")
    data = dicom_bytes(compressed(values, syntax, table), syntax)
    frames = [4, 0, 6, 5]
    volume = read_volume(stack_of(frames, modality="MR", dtype="uint16"), [written(data)] * 4)
    assert np.array_equal(volume.array, values[frames])
    # the only one of these that pydicom decodes without further libraries
    if syntax == uid.JPEG2000Lossless:
        assert np.array_equal(volume.array, pydicom.dcmread(io.BytesIO(data)).pixel_array[frames])


def test_run_lengths(written):
    values = stored(4, "<u2")
    dataset = enhanced(values, modality="MR")
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.compress(uid.RLELossless, generate_instance_uid=False)
    path = written(dicom_bytes(dataset, uid.RLELossless))
    volume = read_volume(stack_of([2, 3], modality="MR", dtype="uint16"), [path] * 2)
    assert np.array_equal(volume.array, values[[2, 3]])


def test_slices_of_several_files_keep_their_places(written):
    first, second = stored(5), stored(6)
    paths = [written(dicom_bytes(enhanced(v)), name) for v, name in ((first, "a"), (second, "b"))]
    order = [(0, 3), (1, 3), (1, 0), (0, 6), (1, 6)]
    volume = read_volume(stack_of([n for _, n in order]), [paths[f] for f, _ in order])
    expected = np.array([(first, second)[f][n] for f, n in order])
    assert np.array_equal(volume.array, expected)
    assert volume.facts.maximum.tolist() == expected.max(axis=(1, 2)).tolist()


def test_padding_of_all_frames_and_values_beyond_the_bits(written):
    values = stored(7)
    values[2, 0, :3] = -2000
    values[4, 5, 5] = 5000
    path = written(dicom_bytes(enhanced(values, BitsStored=13, HighBit=12, PixelPaddingValue=-2000)))
    volume = read_volume(stack_of(range(FRAMES)), [path] * FRAMES)
    assert np.array_equal(volume.valid, values != -2000)
    assert volume.array[2, 0, :3].tolist() == [-1024] * 3
    found = {i.rule: i.measured for i in volume.issues}
    assert found["read/bits"] == "1"
    assert float(found["read/padding-masked"]) == pytest.approx(100 * 3 / values.size, abs=0.005)


def test_tiles_of_a_mosaic(written):
    dataset = mosaic_dataset()
    path = written(dicom_bytes(dataset))
    volume = read_volume(stack_of([4, 1], modality="MR", shape=(6, 8), dtype="uint16"), [path] * 2)
    picture = np.frombuffer(dataset.PixelData, "<u2").reshape(18, 24)
    assert np.array_equal(volume.array, [picture[6:12, 8:16], picture[:6, 8:16]])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"PixelData": stored()[:6].tobytes()}, "file/truncated"),
        ({"PixelData": bytes(5000)}, "file/corrupt"),
        ({"SamplesPerPixel": 3}, "file/unsupported"),
        ({"BitsAllocated": 1}, "file/unsupported"),
        ({"Rows": 3, "Columns": 16}, "file/changed"),
        ({"RescaleSlope": "0"}, "read/values"),
        ({"NumberOfFrames": "5"}, "file/corrupt"),
    ],
)
def test_what_is_broken_is_refused(change, reason, written):
    dataset = enhanced(stored())
    for keyword, value in change.items():
        setattr(dataset, keyword, value)
    with pytest.raises(FormatError) as caught:
        read_volume(stack_of([0, 6]), [written(dicom_bytes(dataset))] * 2)
    assert caught.value.reason == reason


def test_a_frame_that_is_no_longer_there(written):
    path = written(dicom_bytes(enhanced(stored()[:5])))
    with pytest.raises(FormatError) as caught:
        read_volume(stack_of([0, 6]), [path] * 2)
    assert caught.value.reason == "file/changed"


def test_a_cut_file(written):
    data = dicom_bytes(enhanced(stored()))
    for count in (len(data) - 2, len(data) - ROWS * COLUMNS * 2, len(data) - stored().nbytes - 20, 500):
        with pytest.raises(FormatError) as caught:
            read_volume(stack_of([0, 6]), [written(data[:count])] * 2)
        assert caught.value.reason in {"file/truncated", "file/corrupt"}
