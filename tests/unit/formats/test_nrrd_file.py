import gzip

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS
from isocenter.formats.limits import Limits
from isocenter.formats.nrrd_file import read_array, read_header, segment_names
from tests.contracts.files import nrrd_bytes, stored


def scan(folder, data, **limits):
    path = folder / "a.nhdr"
    path.write_bytes(data)
    return FORMATS.get("nrrd").scan(path, "f", 0, "", Limits(**limits)).instance


def reason(folder, data, **limits):
    with pytest.raises(FormatError) as caught:
        scan(folder, data, **limits)
    return caught.value.reason


def detached(name, **changes):
    return nrrd_bytes(tail=b"", data_file=name, **changes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../canary", "file/outside"),
        ("/etc/hostname", "file/outside"),
        ("/dev/zero", "file/outside"),
        ("below/a.raw", "file/outside"),
        ("nothing.raw", "file/truncated"),
        ("a.nhdr", "file/corrupt"),
        ("slice%03d.raw 0 2147483647 1", "file/unsupported"),
        ("LIST", "file/unsupported"),
        ("LIST 2\n" + "\n".join(f"slice{n}.raw" for n in range(50_000)), "file/unsupported"),
        ("", "file/corrupt"),
        ("=a.raw", "file/unsupported"),
    ],
    ids=lambda v: v[:20],
)
def test_data_files_that_are_refused(name, expected, tmp_path):
    (tmp_path / "canary").write_bytes(stored().tobytes())
    assert reason(tmp_path, detached(name)) == expected


@pytest.mark.parametrize("skip", ["1", "-2", "9223372036854775807", "1000000000"])
@pytest.mark.parametrize("field", ["byte skip", "line skip", "byteskip"])
def test_skips_are_refused(field, skip, tmp_path):
    (tmp_path / "a.raw").write_bytes(stored().tobytes())
    data = detached("a.raw").replace(b"encoding:", f"{field}: {skip}\nencoding:".encode())
    assert reason(tmp_path, data) in {"file/unsupported", "file/corrupt"}


def test_a_header_by_itself_ends_with_the_name_of_its_data(tmp_path):
    (tmp_path / "a.raw").write_bytes(stored().tobytes())
    data = detached("a.raw")
    assert scan(tmp_path, data).data_name == "a.raw"
    assert scan(tmp_path, data[:-1]).data_name == "a.raw"
    assert reason(tmp_path, data[:-2]) == "file/corrupt"
    # what is behind it might have been the place in the room
    early = (
        data[:-1]
        .replace(b"data file: a.raw\n", b"")
        .replace(b"space origin", b"data file: a.raw\nspace origin")
    )
    assert reason(tmp_path, early) == "file/corrupt"
    assert scan(tmp_path, early + b"\n").data_name == "a.raw"


def test_voxels_beside_are_counted(tmp_path):
    for size, expected in ((287, "file/truncated"), (289 + 1024, "file/corrupt")):
        (tmp_path / "a.raw").write_bytes(bytes(size))
        assert reason(tmp_path, detached("a.raw")) == expected
    (tmp_path / "a.raw").write_bytes(bytes(288))
    assert scan(tmp_path, detached("a.raw")).shape == (3, 6, 8)
    # raw is raw, whatever its first bytes look like
    (tmp_path / "a.raw").write_bytes(b"\x1f\x8b\x08" + bytes(285))
    assert scan(tmp_path, detached("a.raw")).shape == (3, 6, 8)


def test_a_header_in_gzip(tmp_path):
    assert scan(tmp_path, gzip.compress(nrrd_bytes())).shape == (3, 6, 8)
    assert reason(tmp_path, gzip.compress(nrrd_bytes(sizes="100000 100000 3"))) == "file/too-large"


def test_limits_of_the_header(tmp_path):
    long = nrrd_bytes(content="x" * 100_000)
    assert reason(tmp_path, long) == "file/limit"
    assert scan(tmp_path, long, value_bytes=200_000).shape == (3, 6, 8)
    stored_again, _ = read_array(tmp_path / "a.nhdr")
    assert (stored_again == stored()).all()
    assert reason(tmp_path, nrrd_bytes(), header_bytes=100) == "file/limit"
    assert reason(tmp_path, nrrd_bytes(), elements=5) == "file/limit"
    assert reason(tmp_path, b"NRRD0004\n" + b"x" * (3 << 20), header_bytes=1 << 20) == "file/limit"


def test_fields_that_nobody_knows_may_be_the_place_in_the_room(tmp_path):
    assert reason(tmp_path, nrrd_bytes().replace(b"space origin", b"space origim")) == "file/corrupt"
    twice = nrrd_bytes().replace(b"space origin", b"Space Origin: (1,2,3)\nspace origin")
    assert reason(tmp_path, twice) == "file/corrupt"
    assert scan(tmp_path, nrrd_bytes().replace(b"content", b"# any: thing\nmy key:=a: b\ncontent")).shape == (
        3,
        6,
        8,
    )


def test_segments_are_named(tmp_path):
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(nrrd_bytes(Segment0_Name="Heart: left", Segment0_LabelValue="3"))
    assert segment_names(read_header(path)[0]) == {3: "Heart: left"}
