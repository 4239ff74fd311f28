import gzip

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS
from isocenter.formats.images import nrrd
from isocenter.formats.limits import Limits
from isocenter.formats.nrrd_file import read_array
from tests.contracts.files import nrrd_bytes, stack_of, stored


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


def told(tmp_path, **changes):
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(**changes))
    stack = stack_of("nrrd", [path])
    volume = nrrd.read(stack, [path])
    return [(i.rule.removeprefix("read/"), i.severity.value) for i in volume.issues], stack


def test_a_plain_image_leaves_no_doubt(tmp_path):
    found, stack = told(tmp_path)
    assert found == []
    assert stack.orientation_code == "space"


@pytest.mark.parametrize(
    ("space", "code", "signs"),
    [
        ("left-posterior-superior", "space", (-1, -1, 1)),
        ("LPS", "space", (-1, -1, 1)),
        ("RAS", "space", (1, 1, 1)),
        ("right-anterior-superior", "space", (1, 1, 1)),
        ("LAS", "space", (-1, 1, 1)),
        ("left-anterior-superior", "space", (-1, 1, 1)),
        ("scanner-xyz", "none", (1, 1, 1)),
        ("3D-right-handed", "none", (1, 1, 1)),
        ("3D-left-handed", "none", (1, 1, 1)),
    ],
)
def test_every_space_is_known(space, code, signs, tmp_path):
    """Teem's definition of NRRD, section 5: which way the axes of each space go."""
    found, stack = told(tmp_path, space=space)
    assert stack.orientation_code == code
    assert np.allclose(np.diag(np.reshape(stack.affine, (4, 4)))[:3], np.array(signs) * (0.75, 0.5, 2))
    assert ("left-handed", "note") in found or np.prod(signs) > 0


def test_a_time_of_one_point_is_dropped_and_told(tmp_path):
    found, stack = told(
        tmp_path,
        dimension="4",
        sizes="8 6 3 1",
        space="left-posterior-superior-time",
        kinds="domain domain domain time",
        space_directions="(0.75,0,0,0) (0,0.5,0,0) (0,0,2,0) (0,0,0,1)",
        space_origin="(-10,-20,0,0)",
    )
    assert found == [("singleton-axis", "note")]
    assert stack.orientation_code == "space"
    assert np.allclose(np.reshape(stack.affine, (4, 4))[:3, 3], (10, 20, 0))


def test_frames_mirrors_and_units_are_told(tmp_path):
    assert told(tmp_path, measurement_frame="(1,0,0) (0,1,0) (0,0,1)")[0] == []
    assert told(tmp_path, measurement_frame="(0,1,0) (1,0,0) (0,0,1)")[0] == [("measurement-frame", "note")]
    mirrored = "(0.75,0,0) (0,0.5,0) (0,0,-2)"
    assert told(tmp_path, space_directions=mirrored)[0] == [("left-handed", "note")]
    found, stack = told(tmp_path, space_units='"cm" "cm" "cm"')
    assert found == [("unit-converted", "note")]
    assert stack.spacing_mm == pytest.approx((20, 5, 7.5))
    assert told(tmp_path, tail=stored().tobytes() + b"more")[0] == [("trailing-bytes", "review")]


def test_unknown_spaces_colours_and_layers_are_refused(tmp_path):
    assert reason(tmp_path, nrrd_bytes(space="left-posterior-inferior")) == "file/corrupt"
    assert reason(tmp_path, nrrd_bytes(kinds="RGB-color domain domain")) == "file/unsupported"
    assert reason(tmp_path, nrrd_bytes(kinds="list domain domain")) == "file/several-volumes"
