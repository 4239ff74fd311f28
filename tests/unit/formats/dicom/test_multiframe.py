"""Objects of several frames: what each frame is scaled by, and files that lie about their frames."""

import contextlib
import os

import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from isocenter.base.errors import FormatError
from isocenter.base.files import signature
from isocenter.formats.dicom.multiframe import open_frames
from isocenter.formats.image import FORMATS
from tests.contracts.files import dicom_bytes, mutants
from tests.oracles.test_enhanced import COLUMNS, FRAMES, ROWS, compressed, enhanced, stack_of, stored
from tests.unit.formats.dicom.mosaics import mosaic_dataset


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_a_frame_goes_before_its_object(path):
    dataset = enhanced(stored(), per_frame=[(2, -5), (3, 0)])
    dataset.RescaleSlope, dataset.RescaleIntercept = "7", "-1024"
    path.write_bytes(dicom_bytes(dataset))
    with open_frames(path) as source:
        scales = [(p.slope, p.intercept) for p in map(source.plane, range(FRAMES))]
    assert scales == [(2, -5), (3, 0)] + [(7, -1024)] * (FRAMES - 2)


def test_a_slope_that_is_no_number_is_refused_for_its_frame_alone(path):
    data = dicom_bytes(enhanced(stored(), per_frame=[(2, 0), ("1.25", 0)]))
    path.write_bytes(data.replace(b"1.25", b"1_25"))
    with open_frames(path) as source:
        assert source.plane(0).slope == 2
        with pytest.raises(FormatError) as caught:
            source.plane(1)
    assert caught.value.reason == "read/values"


def test_frames_come_in_the_order_in_which_they_are_asked_for(path):
    values = stored(1, "<u2")
    for syntax, dataset in (
        (uid.ExplicitVRLittleEndian, enhanced(values)),
        (uid.JPEG2000Lossless, compressed(values, uid.JPEG2000Lossless, "basic")),
    ):
        path.write_bytes(dicom_bytes(dataset, syntax))
        with open_frames(path) as source:
            for frames in ([], [3], [6, 0, 6, 2], list(range(FRAMES))):
                found = list(source.stored(frames))
                assert all(np.array_equal(f, values[n]) for f, n in zip(found, frames, strict=True))


@pytest.mark.parametrize("count", [FRAMES - 1, FRAMES + 1])
def test_another_number_of_compressed_frames_is_refused(count, path):
    values = stored(2, "<u2")
    dataset = compressed(values, uid.JPEG2000Lossless, "none")
    one = dataset.PixelData
    dataset.PixelData = encapsulate([b"\xff\x4f" + bytes(20) + b"\xff\xd9"] * count, has_bot=True)
    assert one != dataset.PixelData
    path.write_bytes(dicom_bytes(dataset, uid.JPEG2000Lossless))
    with pytest.raises(FormatError) as caught, open_frames(path):
        pass
    assert caught.value.reason == "file/corrupt"


def test_native_pixels_of_a_compressed_syntax_are_refused(path):
    data = dicom_bytes(enhanced(stored()))
    native, other = uid.ExplicitVRLittleEndian.encode() + b"\0", uid.RLELossless.encode()
    path.write_bytes(data.replace(native, other[: len(native)].ljust(len(native), b"\0"), 1))
    with pytest.raises(FormatError), open_frames(path):
        pass


SAMPLES = {
    "native": dicom_bytes(enhanced(stored(), per_frame=[(2, -5)] * FRAMES)),
    "compressed": dicom_bytes(
        compressed(stored(3, "<u2"), uid.JPEGLSLossless, "extended"), uid.JPEGLSLossless
    ),
    "mosaic": dicom_bytes(mosaic_dataset()),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_are_refused_or_have_the_shape_they_had(name, path):
    read = FORMATS.get("dicom")
    shape = (6, 8) if name == "mosaic" else (ROWS, COLUMNS)
    stack = stack_of([0, 4], modality="CT", shape=shape)
    n_read = 0
    for data in mutants(SAMPLES[name], 250):
        path.write_bytes(data)
        with contextlib.suppress(FormatError):
            read.scan(path, "f", 0, "")
        with contextlib.suppress(FormatError):
            volume = read.read(stack, [path] * 2)
            assert volume.array.shape == (2, *shape)
            n_read += 1
    assert n_read > 0


@pytest.mark.parametrize("name", SAMPLES)
def test_an_object_that_was_exchanged_since_the_index_is_not_read(name, path):
    read, shape = FORMATS.get("dicom"), (6, 8) if name == "mosaic" else (ROWS, COLUMNS)
    stack = stack_of([0, 4], modality="CT", shape=shape)
    path.write_bytes(SAMPLES[name])
    expected = signature(path)
    assert read.read(stack, [path] * 2, [expected] * 2).array.shape == (2, *shape)
    os.utime(path, ns=(0, expected.mtime_ns + 1))
    with pytest.raises(FormatError) as caught:
        read.read(stack, [path] * 2, [expected] * 2)
    assert caught.value.reason == "file/changed"
