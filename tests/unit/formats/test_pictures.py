"""Pictures are read as grey planes, whatever they hold, and broken ones are refused."""

import imagecodecs
import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.pictures import is_picture, read_picture

GREY = np.arange(12 * 17, dtype=np.uint8).reshape(12, 17)


def put(tmp_path, data, name="a.png"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("values", [GREY, GREY.astype(np.uint16) * 200], ids=["8 bits", "16 bits"])
def test_a_png_comes_back_to_the_bit(tmp_path, values):
    path = put(tmp_path, imagecodecs.png_encode(values))
    assert is_picture(path)
    found = read_picture(path)
    assert (found.shape, found.dtype) == ((1, 12, 17), np.uint16)
    assert np.array_equal(found[0], values)


def test_colours_are_their_mean_and_transparency_is_none(tmp_path):
    colours = np.stack([GREY // 3, GREY // 2, GREY, np.full_like(GREY, 9)], axis=2)
    expected = colours[..., :3].astype(int).sum(axis=2) // 3
    for channels in (3, 4):
        path = put(tmp_path, imagecodecs.png_encode(np.ascontiguousarray(colours[..., :channels])))
        assert np.array_equal(read_picture(path)[0], expected)


def test_a_jpeg_comes_back_as_its_decoder_has_it(tmp_path):
    data = imagecodecs.jpeg8_encode(GREY, level=90)
    path = put(tmp_path, data, "a.jpg")
    assert is_picture(path)
    assert np.array_equal(read_picture(path)[0], imagecodecs.jpeg8_decode(data))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nothing", imagecodecs.png_encode(GREY)[:20], imagecodecs.png_encode(GREY)[:60],
        imagecodecs.jpeg8_encode(GREY)[:30], b"\xff\xd8\xff" + b"\xff" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\xff" * 20,
    ],
)  # fmt: skip
def test_what_is_broken_is_refused(tmp_path, data):
    with pytest.raises(FormatError):
        read_picture(put(tmp_path, data))


def test_other_files_are_no_pictures(tmp_path):
    assert not is_picture(put(tmp_path, b"\x89PN"))
    assert not is_picture(tmp_path / "nothing.png")
    assert not is_picture(tmp_path)
