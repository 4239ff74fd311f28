"""The quick way to read slices against the slow one, against pydicom, and against files that change meanwhile."""

import gzip
import os
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.pixels import apply_rescale
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from isocenter.base.errors import FormatError
from isocenter.formats.dicom import volume
from isocenter.formats.dicom.native import BATCH, open_slices
from isocenter.formats.image import FORMATS
from isocenter.imaging.facts import facts_of_array
from tests.contracts.files import SHAPE, ct_dataset, dicom_bytes, read_files, stack_of

K, ROWS, COLUMNS = SHAPE


@contextmanager
def nothing_is_native(paths, expected):
    yield [None] * len(paths)


def write(folder, count=K, syntax=ExplicitVRLittleEndian, values=None, **changes):
    paths = []
    for k in range(count):
        dataset = ct_dataset(k, **changes)
        if values is not None:
            kind = values[k].dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")
            dataset.PixelData = values[k].astype(kind).tobytes()
        path = folder / f"{k}.dcm"
        path.write_bytes(dicom_bytes(dataset, syntax))
        paths.append(path)
    return paths


def outcome(stack, paths):
    """All that reading gives, or the reason why it gives nothing."""
    try:
        out = FORMATS.get("dicom").read(stack, paths)
    except FormatError as error:
        return error.reason
    valid = None if out.valid is None else out.valid.tobytes()
    return out.array.dtype, out.array.tobytes(), valid, out.unit, out.issues


@contextmanager
def slowly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volume, "open_slices", nothing_is_native)
        yield


def is_native(paths):
    with open_slices(paths, [None] * len(paths)) as opened:
        return [one is not None for one in opened]


@st.composite
def series(draw):
    """Attributes of pixels of many kinds, and stored values that may use every bit."""
    bits = draw(st.sampled_from([8, 16, 16, 16, 32]))
    sign = draw(st.integers(0, 1))
    stored = draw(st.integers(max(1, bits - 6), bits))
    dtype = np.dtype(f"{'i' if sign else 'u'}{bits // 8}")
    info = np.iinfo(dtype)
    low, high = draw(st.sampled_from([(info.min, info.max), (0, 100), (max(-2000, info.min), 120)]))
    seed = draw(st.integers(0, 99))
    values = np.random.default_rng(seed).integers(low, high, SHAPE, dtype=dtype, endpoint=True)
    padding = draw(st.sampled_from([None, int(values[0, 0, 0]), int(values.min())]))
    limit = draw(st.sampled_from([None, int(values[1, 2, 3])]))
    if limit is not None and padding is None:
        limit = None
    changes = {
        "Modality": draw(st.sampled_from(["CT", "CT", "MR", "PT", "DX"])),
        "PhotometricInterpretation": draw(
            st.sampled_from(["MONOCHROME2", "MONOCHROME2", "MONOCHROME1", "RGB"])
        ),
        "BitsAllocated": bits,
        "BitsStored": stored,
        "HighBit": stored - 1,
        "PixelRepresentation": sign,
        "RescaleSlope": draw(st.sampled_from(["1", "1.0", "1", "0.5", "-1", "2.75", "0", "1E4"])),
        "RescaleIntercept": draw(st.sampled_from(["-1024", "0", "-1024.5", "32767", "100000", "-8192"])),
    }
    return (
        changes,
        values,
        padding,
        limit,
        draw(st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian])),
    )


def padded(dataset_changes, padding, limit):
    """Padding in the value representation that the sign of the pixels asks for, where 16 bits hold it."""
    bounds = (-32768, 32767) if dataset_changes["PixelRepresentation"] else (0, 65535)
    given_ = {"PixelPaddingValue": padding, "PixelPaddingRangeLimit": limit}
    return {k: v for k, v in given_.items() if v is not None and bounds[0] <= v <= bounds[1]}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(series())
def test_the_quick_way_is_the_slow_one(tmp_path_factory, one):
    changes, values, padding, limit, syntax = one
    modality = changes["Modality"]
    # radiographs are in no stack of several files
    changes |= {"Modality": "MR" if modality == "DX" else modality}
    folder = tmp_path_factory.mktemp("series")
    paths = write(folder, syntax=syntax, values=values, **changes, **padded(changes, padding, limit))
    stack = replace(stack_of("dicom", paths), modality=modality)
    order = [paths[int(n)] for n in stack.files]
    with slowly():
        expected = outcome(stack, order)
    assert outcome(stack, order) == expected
    assert all(is_native(paths)) == (changes["PhotometricInterpretation"] != "RGB")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(series())
def test_hounsfield_units_are_those_of_pydicom(tmp_path_factory, one):
    changes, values, padding, limit, syntax = one
    changes |= {"Modality": "CT", "PhotometricInterpretation": "MONOCHROME2"}
    if changes["RescaleSlope"] == "0":
        changes["RescaleSlope"] = "3"
    more = padded(changes, padding, limit)
    paths = write(tmp_path_factory.mktemp("series"), syntax=syntax, values=values, **changes, **more)
    found = read_files("dicom", paths)
    by_uid = {}
    for path in paths:
        dataset = pydicom.dcmread(path)
        stored = np.frombuffer(dataset.PixelData, values.dtype)[: ROWS * COLUMNS].reshape(ROWS, COLUMNS)
        expected = np.clip(np.rint(apply_rescale(stored, dataset)), -32768, 32767)
        if (value := dataset.get("PixelPaddingValue")) is not None:
            other = dataset.get("PixelPaddingRangeLimit", value)
            is_padding = (stored >= min(value, other)) & (stored <= max(value, other))
            expected[is_padding] = -1024
        by_uid[dataset.file_meta.MediaStorageSOPInstanceUID] = expected.astype(np.int16)
    expected = np.stack([by_uid[f"2.25.47119{k}"] for k in range(K)])
    assert np.array_equal(found.array, expected) or np.array_equal(found.array, expected[::-1])
    facts = facts_of_array(found.array, found.valid)
    for name in ("minimum", "maximum", "n_valid", "n_below", "n_above", "n_not_finite"):
        assert np.array_equal(getattr(found.facts, name), getattr(facts, name), equal_nan=True), name


def test_slices_of_several_kinds_make_one_volume(tmp_path):
    values = np.random.default_rng(1).integers(-900, 3000, (40, ROWS, COLUMNS)).astype(np.int16)
    paths = write(tmp_path, 40, values=values)
    whole = read_files("dicom", paths)
    for k, syntax in {3: ExplicitVRBigEndian, 11: DeflatedExplicitVRLittleEndian}.items():
        stored = values[k].astype(">i2" if syntax == ExplicitVRBigEndian else "<i2")
        paths[k].write_bytes(dicom_bytes(ct_dataset(k, PixelData=stored.tobytes()), syntax))
    paths[7].write_bytes(gzip.compress(paths[7].read_bytes()))
    assert [k for k in range(BATCH) if not is_native(paths[:BATCH])[k]] == [3, 7, 11]
    stack = stack_of("dicom", paths)
    found = FORMATS.get("dicom").read(stack, [paths[int(n)] for n in stack.files])
    assert np.array_equal(found.array, whole.array)


def test_a_long_header_is_read_on(tmp_path):
    dataset = ct_dataset(0)
    dataset.private_block(0x0009, "MAKER", create=True).add_new(0x10, "OB", bytes(50_000))
    (tmp_path / "0.dcm").write_bytes(dicom_bytes(dataset))
    dataset.private_block(0x0011, "MAKER", create=True).add_new(0x10, "OB", bytes(500_000))
    (tmp_path / "1.dcm").write_bytes(dicom_bytes(dataset))
    assert is_native([tmp_path / "0.dcm", tmp_path / "1.dcm"]) == [True, False]


def test_what_is_no_plain_file_is_left_to_the_slow_way(tmp_path):
    (path,) = write(tmp_path, 1)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "short").write_bytes(path.read_bytes()[:-1])
    names = ["0.dcm", "link", "pipe", "folder", "empty", "short", "absent"]
    assert is_native([tmp_path / name for name in names]) == [True, *[False] * 6]
    with open_slices([path], [None]) as opened:
        handle = opened[0].handle
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


@pytest.mark.parametrize(
    "change",
    [
        {"NumberOfFrames": "2"},
        {"SamplesPerPixel": 3},
        {"BitsAllocated": 12},
        {"HighBit": 13},
        {"RescaleSlope": "1\\2"},
        {"Rows": ROWS + 1},
        {"Rows": 1},
    ],
    ids=str,
)
def test_what_is_unusual_is_left_to_the_slow_way(change, tmp_path):
    (path,) = write(tmp_path, 1, **change)
    assert is_native([path]) == [change == {"Rows": 1} and ROWS * COLUMNS * 2 <= 1024]


def test_a_file_that_is_cut_after_it_was_opened_is_told(tmp_path):
    (path,) = write(tmp_path, 1)
    place = np.empty((ROWS, COLUMNS), np.int16)
    with open_slices([path], [None]) as (one,):
        one.read_into(place)
        os.truncate(path, path.stat().st_size - 2)
        with pytest.raises(FormatError) as caught:
            one.read_into(place)
    assert caught.value.reason == "file/changed"


@pytest.mark.parametrize("at", [0, 2, -4, -1])
def test_a_file_that_is_written_anew_after_it_was_opened_is_told(at, tmp_path):
    (path,) = write(tmp_path, 1)
    with open_slices([path], [None]) as (one,):
        data = bytearray(path.read_bytes())
        data[(one.offset - one.head if at >= 0 else one.offset) + at] ^= 1
        path.write_bytes(data)
        with pytest.raises(FormatError) as caught:
            one.read_into(np.empty((ROWS, COLUMNS), np.int16))
    assert caught.value.reason == "file/changed"


@pytest.mark.parametrize("sign", [0, 1])
def test_an_overlay_in_unused_bits_is_taken_out_and_told(sign, tmp_path):
    dtype = np.int16 if sign else np.uint16
    values = np.random.default_rng(2).integers(-2048 if sign else 0, 2047, SHAPE).astype(dtype)
    plain = tmp_path / "plain"
    plain.mkdir()
    changes = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": sign}
    expected = read_files("dicom", write(plain, values=values, **changes))
    drawn = np.random.default_rng(3).random(SHAPE) < 0.3
    bits = (values.view(np.uint16) & 0x0FFF) | np.where(drawn, 0x1000, 0).astype(np.uint16)
    paths = write(tmp_path, values=bits, **changes)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.add_new((0x6002, 0x0100), "US", 16)
        dataset.add_new((0x6002, 0x0102), "US", 12)
        path.write_bytes(dicom_bytes(dataset))
    assert is_native(paths) == [False] * K
    found = read_files("dicom", paths)
    assert np.array_equal(found.array, expected.array)
    (issue,) = (i for i in found.issues if i.rule == "read/overlay-bits")
    changed = bits.view(dtype) != values
    assert issue.measured == str(int(changed.sum()))
    assert "read/bits" not in {i.rule for i in found.issues}


def test_an_overlay_of_its_own_changes_nothing(tmp_path):
    paths = write(tmp_path)
    expected = read_files("dicom", paths)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.add_new((0x6000, 0x0100), "US", 1)
        dataset.add_new((0x6000, 0x0102), "US", 0)
        dataset.add_new((0x6000, 0x3000), "OW", bytes(ROWS * COLUMNS // 8 + ROWS * COLUMNS // 8 % 2))
        path.write_bytes(dicom_bytes(dataset))
    assert all(is_native(paths))
    assert np.array_equal(read_files("dicom", paths).array, expected.array)


def test_a_ct_to_be_shown_inverted_keeps_its_values(tmp_path):
    expected = read_files("dicom", write(tmp_path))
    found = read_files("dicom", write(tmp_path, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(found.array, expected.array)
    assert [i.rule for i in found.issues] == ["read/monochrome1-kept"]


def test_mixed_signs_are_not_wrapped(tmp_path):
    paths = write(tmp_path, Modality="MR", RescaleSlope=None, RescaleIntercept=None)
    big = np.full((ROWS, COLUMNS), 40_000, np.uint16)
    other = ct_dataset(
        1,
        Modality="MR",
        RescaleSlope=None,
        RescaleIntercept=None,
        PixelRepresentation=0,
        PixelData=big.tobytes(),
    )
    stack = stack_of("dicom", paths)
    paths[1].write_bytes(dicom_bytes(other))
    with pytest.raises(FormatError) as caught:
        FORMATS.get("dicom").read(stack, [paths[int(n)] for n in stack.files])
    assert caught.value.reason == "file/changed"
