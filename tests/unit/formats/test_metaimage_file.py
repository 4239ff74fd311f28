import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.image import FORMATS
from isocenter.formats.metaimage_file import is_metaimage
from tests.contracts.files import metaimage_bytes, read_files, stored


def scan(folder, data, name="a.mha"):
    path = folder / name
    path.write_bytes(data)
    return FORMATS.get("metaimage").scan(path, "f", 0, "").instance


def reason(folder, data):
    with pytest.raises(FormatError) as caught:
        scan(folder, data)
    return caught.value.reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DimSize": "8 6"}, "file/corrupt"),
        ({"DimSize": "8 6 -3"}, "file/corrupt"),
        ({"DimSize": "8 6 0"}, "file/corrupt"),
        ({"DimSize": None}, "file/corrupt"),
        ({"NDims": "9"}, "file/corrupt"),
        ({"NDims": "4", "DimSize": "8 6 3 2", "TransformMatrix": None, "Offset": None, "ElementSpacing": None},
         "file/several-volumes"),
        ({"DimSize": "4294967296 4294967296 2"}, "file/too-large"),
        ({"DimSize": "1000000000000000000 1 1"}, "file/corrupt"),
        ({"DimSize": "8 6 40"}, "file/truncated"),
        ({"DimSize": "8 6 400", "CompressedData": "True", "CompressedDataSize": "999"}, "file/truncated"),
        ({"CompressedData": "True", "CompressedDataSize": "-1"}, "file/corrupt"),
        ({"CompressedData": "maybe"}, "file/corrupt"),
        ({"ElementNumberOfChannels": "3"}, "file/several-volumes"),
        ({"ElementType": "MET_CHAR_ARRAY"}, "file/unsupported"),
        ({"ElementType": None}, "file/unsupported"),
        ({"ElementToIntensityFunctionSlope": "2"}, "file/unsupported"),
        ({"BinaryData": "False"}, "file/unsupported"),
        ({"HeaderSize": "-1"}, "file/unsupported"),
        ({"HeaderSize": "9223372036854775807"}, "file/unsupported"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 nan"}, "file/corrupt"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0"}, "file/corrupt"),
        ({"Offset": "1 2"}, "file/corrupt"),
        ({"Offset": "1_0 2 3"}, "file/corrupt"),
        ({"Offset": "\xa01 2 3"}, "file/corrupt"),
        ({"Offset": "1 2 3\x0bElementSpacing = 9 9 9", "ElementSpacing": None}, "file/corrupt"),
        ({"Offset": "1 2 1e999"}, "file/corrupt"),
        ({"ElementSpacing": "1 inf 1"}, "file/corrupt"),
        ({"Position": "1 2 3"}, "file/corrupt"),
        ({"ElementDataFile": "LIST"}, "file/unsupported"),
        ({"ElementDataFile": "LIST 2D"}, "file/unsupported"),
        ({"ElementDataFile": "slice%03d.raw 1 3 1"}, "file/unsupported"),
        ({"ElementDataFile": "../canary"}, "file/outside"),
        ({"ElementDataFile": "/etc/hostname"}, "file/outside"),
        ({"ElementDataFile": "nothing.raw"}, "file/truncated"),
        ({"ElementDataFile": "a.mha"}, "file/corrupt"),
        ({"ElementDataFile": ""}, "file/corrupt"),
        ({"x" * 70_000: "y"}, "file/limit"),
    ],
    ids=str,
)  # fmt: skip
def test_headers_that_are_refused(changes, expected, tmp_path):
    (tmp_path / "canary").write_bytes(stored().tobytes())
    assert reason(tmp_path, metaimage_bytes(**changes)) == expected


def test_lines_that_are_none(tmp_path):
    data = metaimage_bytes()
    assert reason(tmp_path, data.replace(b"NDims", b"no field\nNDims")) == "file/corrupt"
    assert reason(tmp_path, data[: data.index(b"LOCAL")]) == "file/corrupt"
    assert reason(tmp_path, data[: data.index(b"ElementDataFile")]) == "file/truncated"
    assert scan(tmp_path, data.replace(b"NDims", b"\n Comment: one\nNDims")).shape == (3, 6, 8)


def test_what_is_told_of_the_image(tmp_path):
    found = scan(tmp_path, metaimage_bytes(Modality="MET_MOD_CT"))
    assert (found.format, found.modality, found.dtype, found.shape) == ("metaimage", "CT", "int16", (3, 6, 8))
    assert (found.orientation_code, found.data_name) == ("matrix", "")
    bare = scan(tmp_path, metaimage_bytes(TransformMatrix=None, Offset=None, Modality="MET_MOD_OTHER"))
    assert (bare.orientation_code, bare.modality) == ("none", None)
    assert bare.affine == (0.75, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1)


def test_a_stated_length_that_lies_is_no_volume(tmp_path):
    data = metaimage_bytes(CompressedData="True")
    size = int(data.split(b"CompressedDataSize = ")[1].split(b"\n")[0])
    assert scan(tmp_path, data).shape == (3, 6, 8)
    wrong = data.replace(b"CompressedDataSize = %d" % size, b"CompressedDataSize = %d" % (size + 1))
    assert reason(tmp_path, wrong) == "file/truncated"


def test_a_name_that_is_no_utf8(tmp_path):
    name = b"m\xe9tal.raw"
    data = metaimage_bytes(tail=b"", ElementDataFile="NAME").replace(b"NAME", name)
    (tmp_path / name.decode("utf-8", "surrogateescape")).write_bytes(stored().tobytes())
    (tmp_path / "a.mhd").write_bytes(data)
    assert (read_files("metaimage", [tmp_path / "a.mhd"]).array == stored()).all()


def test_other_texts_are_not_claimed():
    for head in (
        b"",
        b"ObjectType = Scene\n",
        b"NDims = x",
        b"NDim = 3",
        b"Comment = NDims = 3",
        b" NDims = 3",
    ):
        assert not is_metaimage(head)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"DistanceUnits": "mm", "ElementSize": "0.75 0.5 2"}, []),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 -1"}, [("left-handed", "note")]),
        ({"DistanceUnits": "um"}, [("unit-assumed", "note")]),
        ({"ElementSize": "0.75 0.5 5"}, [("voxel-sizes", "note")]),
        ({"ElementSpacing": "0.75 0.5 -2"}, [("left-handed", "note"), ("voxel-sizes", "review")]),
        (
            {
                "NDims": "4",
                "DimSize": "8 6 3 1",
                "ElementSpacing": "0.75 0.5 2 1",
                "Offset": "0 0 0 0",
                "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
            },
            [("singleton-axis", "note")],
        ),
    ],
)
def test_what_a_header_leaves_open_is_told(changes, expected, tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(metaimage_bytes(**changes))
    found = read_files("metaimage", [path]).issues
    assert [(i.rule.removeprefix("read/"), i.severity.value) for i in found] == expected


def test_bytes_behind_the_voxels_are_told(tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(metaimage_bytes(tail=stored().tobytes() + bytes(4)))
    assert [i.rule for i in read_files("metaimage", [path]).issues] == ["read/trailing-bytes"]
