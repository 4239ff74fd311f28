"""Mosaics that can be laid out, those that cannot and have no rows, and headers of scanners that lie."""

import contextlib
import random
import struct

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.csa import read_csa
from isocenter.formats.dicom.multiframe import open_frames
from isocenter.formats.image import FORMATS
from tests.contracts.files import dicom_bytes, item
from tests.contracts.headers import read, scans_of
from tests.unit.formats.dicom.mosaics import SHAPE, csa_bytes, mosaic_dataset, scanner


@pytest.fixture
def frames(tmp_path):
    def run(dataset):
        path = tmp_path / "file"
        path.write_bytes(dicom_bytes(dataset))
        return FORMATS.get("dicom").scan(path, "f7", 0, "").frames

    return run


def test_tiles_follow_each_other_row_by_row(frames):
    rows = frames(mosaic_dataset())
    assert [f.window for f in rows] == [
        (0, 0, 6, 8),
        (0, 8, 6, 8),
        (0, 16, 6, 8),
        (6, 0, 6, 8),
        (6, 8, 6, 8),
    ]
    # the picture is 16 columns of 2 mm and 12 rows of 2.5 mm larger than a tile; half of it goes to the corner
    assert [f.position_mm for f in rows] == [(-6, 5, 3.5 * n) for n in range(5)]
    assert {(f.file_id, f.pixel_spacing_mm, f.spacing_between_slices_mm) for f in rows} == {
        ("f7", (2.5, 2.0), 3.5)
    }


def test_the_scanner_tells_in_which_direction_slices_follow(frames):
    rows = frames(mosaic_dataset(scanner(normal=(0, 0, -1))))
    assert [f.position_mm[2] for f in rows] == [0, -3.5, -7, -10.5, -14]


@pytest.mark.parametrize(
    "dataset",
    [
        mosaic_dataset(count=None),
        mosaic_dataset({k: v for k, v in scanner().items() if k != "NumberOfImagesInMosaic"}),
        mosaic_dataset(scanner(SpacingBetweenSlices=["3.5"]), distance=None),
    ],
    ids=["count in the CSA header", "count of its own", "distance in the CSA header"],
)
def test_one_place_that_tells_is_enough(frames, dataset):
    assert frames(dataset) == frames(mosaic_dataset())


@pytest.mark.parametrize(
    "dataset",
    [
        mosaic_dataset(b""),
        mosaic_dataset(b"SV10" + bytes(80)),
        mosaic_dataset(csa_bytes(scanner())[:-200]),
        mosaic_dataset({k: v for k, v in scanner().items() if k != "SliceNormalVector"}),
        mosaic_dataset(scanner(normal=(0, 1, 0))),
        mosaic_dataset(scanner() | {"SliceNormalVector": ["0", "x", "1"]}),
        mosaic_dataset(scanner() | {"SliceNormalVector": ["nan", "0", "1"]}),
        mosaic_dataset(distance=None, SliceThickness="3"),
        mosaic_dataset(distance="0"),
        mosaic_dataset(count=6),
        mosaic_dataset(scanner(0), count=0),
        mosaic_dataset(scanner(9000), count=9000),
        mosaic_dataset(scanner(17), count=17),
        mosaic_dataset(PixelSpacing=None),
        mosaic_dataset(ImagePositionPatient=None),
        mosaic_dataset(ImageOrientationPatient=["1", "0", "0", "1", "0", "0"]),
        mosaic_dataset(ImageType=["ORIGINAL", "PRIMARY", "M", "ND"]),
    ],
    ids=[
        *("no CSA header", "an empty one", "a cut one", "no normal", "a normal in the plane"),
        *("a normal that is no number", "a normal that is nan", "thickness only", "a distance of 0"),
        *("two counts", "no tile", "too many tiles", "tiles that do not fit", "no spacing", "no position"),
        *("directions that are one", "no mosaic"),
    ],
)
def test_what_does_not_tell_all_of_it_has_no_rows(frames, dataset):
    assert frames(dataset) == ()


def test_mosaics_are_left_to_the_slow_reader():
    plain = mosaic_dataset(ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    scans = scans_of(read([dicom_bytes(d) for d in (plain, mosaic_dataset(), plain)]))
    assert [scan is not None for scan in scans] == [True, False, True]


def test_tiles_are_cut_out_of_the_picture(tmp_path):
    path, dataset = tmp_path / "file", mosaic_dataset()
    path.write_bytes(dicom_bytes(dataset))
    picture = np.frombuffer(dataset.PixelData, "<u2").reshape(SHAPE)
    with open_frames(path) as source:
        last, first = source.stored([4, 0])
        assert np.array_equal(last, picture[6:12, 8:16])
        assert np.array_equal(first, picture[:6, :8])
        for frame in (5, -1):
            with pytest.raises(FormatError, match="another number of frames"):
                list(source.stored([frame]))


def test_values_of_a_csa_header():
    data = csa_bytes({"A": [], "B": ["1.5", "2"], "C": [" x "]})
    assert read_csa(data, ("B", "C", "D")) == {"B": ("1.5", "2"), "C": ("x",)}


@pytest.mark.parametrize("kind", [1, 2])
def test_broken_csa_headers_are_refused_or_read_and_never_more(kind):
    rng, data = random.Random(kind), csa_bytes(scanner(), kind)
    for n in range(400):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        broken = bytes(broken[: rng.randrange(len(broken))] if n % 2 else broken)
        with contextlib.suppress(FormatError):
            assert set(read_csa(broken, ("SliceNormalVector",))) <= {"SliceNormalVector"}


@pytest.mark.parametrize("count", [0, 257, 1 << 31])
def test_as_many_tags_as_no_scanner_writes_are_refused(count):
    with pytest.raises(FormatError):
        read_csa(b"SV10\4\3\2\1" + struct.pack("<2I", count, 77) + bytes(84 * 300), ("A",))


def test_frames_of_groups_go_before_an_image_type(frames):
    dataset = mosaic_dataset(NumberOfFrames="2", PixelData=bytes(2 * 2 * SHAPE[0] * SHAPE[1]))
    dataset.PerFrameFunctionalGroupsSequence = [item(), item()]
    assert [f.window for f in frames(dataset)] == [(), ()]
