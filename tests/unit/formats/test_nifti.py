"""Several volumes in one NIfTI file: each is read alone, and none where the file is not whole."""

import gzip
import math
import tracemalloc

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import FormatError
from isocenter.formats import bytes as bytes_
from isocenter.formats.array_file import MAX_VOLUMES, volumes_of_sizes
from isocenter.formats.images import nifti
from isocenter.formats.nifti import header_of, read_array, read_image, times_of
from tests.contracts.files import affine
from tests.unit.formats.test_nifti_doubts import fields

COUNT = 5
KINDS = [nibabel.Nifti1Image, nibabel.Nifti2Image]


def four(dtype=np.int16, seed=0):
    """Values (T, K, J, I) in which no two volumes are alike."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4000, (COUNT, 3, 6, 8)).astype(dtype)


def four_bytes(array, change=None, kind=nibabel.Nifti1Image, units=("mm", "sec"), step=2.5):
    image = kind(array.T, affine(), dtype=array.dtype)
    image.header.set_xyzt_units(*units)
    image.header["pixdim"][4] = step
    data = bytearray(image.to_bytes())
    if change is not None:
        size = image.header.sizeof_hdr
        header = type(image.header)(bytes(data[:size]), check=False)
        change(header.structarr)
        data[:size] = header.structarr.tobytes()
    return bytes(data)


def written(folder, data, name="a.nii"):
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def reason(path, volume=0):
    with pytest.raises(FormatError) as told:
        read_image(path, volume=volume)
    return told.value.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_every_volume_is_a_stack_of_one_set_along_time(name, kind, tmp_path):
    array = four()
    reading = iso.read(written(tmp_path, four_bytes(array, kind=kind), name), modality="MR")
    assert len(reading) == COUNT
    for n, volume in enumerate(reading):
        assert np.array_equal(volume.array, array[n])
        assert np.allclose(volume.grid.affine, affine())
        place = volume.axis
        assert (place.name, place.index, place.count, place.value) == ("time", n, COUNT, 2.5 * n)
        assert [s.frame for s in volume.slices] == [3 * n, 3 * n + 1, 3 * n + 2]
        assert volume.issues == ()


@pytest.mark.parametrize("is_packed", [False, True])
def test_voxels_in_a_file_beside_the_header(is_packed, tmp_path):
    array = four(np.float32)
    image = nibabel.Nifti1Pair(array.T, affine())
    nibabel.save(image, tmp_path / "a.img")
    if is_packed:
        data = (tmp_path / "a.img").read_bytes()
        (tmp_path / "a.img").unlink()
        (tmp_path / "a.img.gz").write_bytes(gzip.compress(data))
    for n in range(COUNT):
        assert np.array_equal(read_image(tmp_path / "a.hdr", volume=n).stored, array[n])


@pytest.mark.parametrize(
    ("units", "step", "expected"),
    [
        (("mm", "sec"), 2.0, (0.0, 2.0, 4.0, 6.0, 8.0)),
        (("mm", "msec"), 500.0, (0.0, 0.5, 1.0, 1.5, 2.0)),
        (("mm", "usec"), 1e6, (0.0, 1.0, 2.0, 3.0, 4.0)),
        (("mm", None), 2.0, ()),
        (("mm", "hz"), 2.0, ()),
        (("mm", "ppm"), 2.0, ()),
        (("mm", "sec"), 0.0, ()),
        (("mm", "sec"), math.nan, ()),
    ],
)
def test_what_is_no_time_is_a_volume_after_the_other(units, step, expected, tmp_path):
    data = four_bytes(four(), units=units, step=step)
    assert times_of(header_of(data)) == expected
    axes = {(v.axis.name, v.axis.value) for v in iso.read(written(tmp_path, data), modality="MR")}
    assert axes == ({("time", t) for t in expected} if expected else {("volume", None)})


def test_time_begins_where_the_header_says():
    assert times_of(header_of(four_bytes(four(), fields(toffset=10))))[:2] == (10.0, 12.5)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_that_is_cut_anywhere_gives_no_volume(name, tmp_path):
    path = written(tmp_path, four_bytes(four()), name)
    data = path.read_bytes()
    for length in np.linspace(20, len(data) - 1, 60).astype(int):
        path.write_bytes(data[:length])
        # the first volume is there in most of them
        assert reason(path) in {"file/truncated", "file/corrupt"}, length


def test_a_bit_that_flips_in_another_volume_of_a_compressed_file_is_seen(tmp_path):
    path = written(tmp_path, four_bytes(four()), "a.nii.gz")
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for bit in rng.integers(8 * len(data) // 2, 8 * len(data), 60).tolist():
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(broken)
        assert reason(path) in {"file/truncated", "file/corrupt", "file/too-large"}, bit


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_what_lies_behind_the_last_volume_is_told_of_each(name, tmp_path):
    data = four_bytes(four())
    for tail, severity in ((bytes(16), "note"), (b"\0\1", "review")):
        path = written(tmp_path, data + tail, name)
        for n in (0, COUNT - 1):
            [issue] = read_image(path, volume=n).doubts
            assert (issue.rule, issue.severity) == ("read/trailing-bytes", severity)
    assert reason(written(tmp_path, data + bytes(5000), name)) in {"file/corrupt", "file/too-large"}


def test_a_volume_that_the_file_does_not_have(tmp_path):
    assert reason(written(tmp_path, four_bytes(four())), volume=COUNT) == "file/changed"


@pytest.mark.parametrize("intent", [1004, 1006, 1007, 2003])
def test_vectors_along_the_fourth_axis_are_no_volumes(intent, tmp_path):
    path = written(tmp_path, four_bytes(four(), fields(intent_code=intent)))
    assert reason(path) == "file/several-volumes"
    with pytest.raises(FormatError, match="several values in one voxel"):
        nifti.scan(path, "fil-1", 0, "s")


def test_a_label_map_has_one_volume(tmp_path):
    with pytest.raises(FormatError, match="several volumes") as told:
        read_array(written(tmp_path, four_bytes(four())))
    assert told.value.reason == "file/several-volumes"


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((8, 6, 3), ((3, 6, 8), 1)),
        ((8, 6, 3, 1, 1), ((3, 6, 8), 1)),
        ((8, 6, 3, 5), ((3, 6, 8), 5)),
        ((8, 6, 3, 5, 1), ((3, 6, 8), 5)),
        ((8, 6, 1, 5), ((1, 6, 8), 5)),
        ((8,), ((1, 1, 8), 1)),
        ((8, 6, 3, 1, 5), "file/several-volumes"),
        ((8, 6, 3, 2, 5), "file/several-volumes"),
        ((8, 6, 3, 0), "file/corrupt"),
        ((8, 6, 3, MAX_VOLUMES), ((3, 6, 8), MAX_VOLUMES)),
        ((8, 6, 3, MAX_VOLUMES + 1), "file/too-large"),
    ],
)
def test_axes_are_those_of_one_volume_and_how_many_there_are(sizes, expected):
    if isinstance(expected, str):
        with pytest.raises(FormatError) as told:
            volumes_of_sizes(sizes)
        assert told.value.reason == expected
    else:
        assert volumes_of_sizes(sizes) == expected


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_one_volume_takes_the_memory_of_one(name, tmp_path, monkeypatch):
    monkeypatch.setattr(bytes_, "_PIECE_OUT", 1 << 18)  # inflated at a time: 16 MB else
    array = np.zeros((40, 4, 256, 256), np.int16)  # half a MB each, 21 MB together
    array[:, ::2, ::3] = np.arange(40, dtype=np.int16)[:, None, None, None]
    path = written(tmp_path, four_bytes(array), name)
    tracemalloc.start()
    try:
        found = read_image(path, volume=39)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(found.stored, array[39])
    assert peak < 3 << 20
