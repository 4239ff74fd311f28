"""Stored frames of segmentations: packed bits and compressed ones."""

import zlib

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless, RLELossless

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.layout import DEFLATED_FRAMES
from isocenter.formats.dicom.segment_frames import open_segmentation
from tests.contracts.files import dicom_bytes, seg_dataset

SIDES = [(6, 8), (5, 7), (1, 3)]  # of 48, 35 and 3 pixels: frames that begin in the middle of a byte


def planes(rows, columns, count=5):
    return np.random.default_rng(rows).random((count, rows, columns)) < 0.5


def dataset_of(values, **changes):
    out = seg_dataset([(1, k, plane) for k, plane in enumerate(values)], **changes)
    out.Rows, out.Columns = values.shape[1:]
    return out


def compressed(values, encode, kind="BINARY"):
    out = dataset_of(values, kind=kind)
    out.PixelData = encapsulate([encode(plane) for plane in values])
    out["PixelData"].VR, out["PixelData"].is_undefined_length = "OB", True
    return out


def packed(plane):
    return np.packbits(plane, bitorder="little").tobytes()


def deflated(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def runs(data):
    head = np.zeros(16, "<u4")
    head[:2] = 1, 64
    body = b"".join(bytes([len(data[n : n + 128]) - 1]) + data[n : n + 128] for n in range(0, len(data), 128))
    return head.tobytes() + body


def wavelets(plane):
    return bytes(
        imagecodecs.jpeg2k_encode(plane.astype(np.uint8), level=0, reversible=True, codecformat="J2K")
    )


def read(tmp_path, dataset, syntax="1.2.840.10008.1.2.1"):
    path = tmp_path / "a.dcm"
    if syntax == DEFLATED_FRAMES:  # which pydicom does not write
        data = dicom_bytes(dataset, JPEG2000Lossless)
        data = data.replace(JPEG2000Lossless.encode(), DEFLATED_FRAMES.encode() + bytes(1))
    else:
        data = dicom_bytes(dataset, syntax)
    path.write_bytes(data)
    with open_segmentation(path) as found:
        return np.stack([found.plane(n) for n in range(len(found.about.frames))])


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", DeflatedExplicitVRLittleEndian])
def test_bits_go_on_from_frame_to_frame(sides, syntax, tmp_path):
    values = planes(*sides)
    assert np.array_equal(read(tmp_path, dataset_of(values), syntax), values)


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (DEFLATED_FRAMES, lambda p: deflated(packed(p))),
        (RLELossless, lambda p: runs(packed(p))),
        (JPEG2000Lossless, wavelets),
    ],
)
def test_compressed_bits_are_packed_frame_by_frame(sides, syntax, encode, tmp_path):
    values = planes(*sides)
    assert np.array_equal(read(tmp_path, compressed(values, encode), syntax), values)


def test_deflated_values_are_not_bits(tmp_path):
    values = np.random.default_rng(0).integers(0, 201, (3, 6, 8)).astype(np.uint8)
    dataset = compressed(values, lambda p: deflated(p.tobytes()), kind="FRACTIONAL")
    assert np.array_equal(read(tmp_path, dataset, DEFLATED_FRAMES), values)


def test_labels_of_two_bytes(tmp_path):
    values = np.random.default_rng(0).integers(0, 3, (3, 6, 8)).astype(np.uint16)
    for syntax, order in (("1.2.840.10008.1.2.1", "<"), (ExplicitVRBigEndian, ">")):
        dataset = dataset_of(values, kind="LABELMAP")
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.PixelData = values.astype(f"{order}u2").tobytes()
        dataset["PixelData"].VR = "OW"
        assert np.array_equal(read(tmp_path, dataset, syntax), values)


@pytest.mark.parametrize(
    ("encode", "reason"),
    [
        (lambda p: deflated(packed(p))[:-2], "file/truncated"),
        (lambda p: deflated(packed(p)[:-1]), "file/truncated"),
        (lambda p: deflated(packed(p) + b"\1"), "file/corrupt"),
        (lambda p: deflated(packed(p)) + b"many more bytes", "file/corrupt"),
        (lambda p: b"\xff" * 40, "file/corrupt"),
        (lambda p: deflated(bytes(1 << 20)), "file/corrupt"),
    ],
)
def test_a_broken_frame_is_refused(encode, reason, tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, compressed(planes(6, 8), encode), DEFLATED_FRAMES)
    assert caught.value.reason == reason


def test_too_few_bits_are_refused(tmp_path):
    dataset = dataset_of(planes(6, 8))
    dataset.PixelData = dataset.PixelData[:-2]
    with pytest.raises(FormatError) as caught:
        read(tmp_path, dataset)
    assert caught.value.reason == "file/truncated"


def test_frames_that_begin_with_a_byte_each_are_refused(tmp_path):
    values = planes(5, 7, 8)
    dataset = dataset_of(values)
    dataset.PixelData = b"".join(packed(plane) for plane in values)
    with pytest.raises(FormatError) as caught:
        read(tmp_path, dataset)
    assert caught.value.reason == "file/corrupt"


def test_planes_far_apart_are_refused_before_memory_is_asked_for(tmp_path):
    dataset = dataset_of(planes(6, 8, 2))
    dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [
        *("-10", "-20", "900000000")
    ]
    with pytest.raises(FormatError) as caught:
        read(tmp_path, dataset)
    assert caught.value.reason == "file/too-large"
