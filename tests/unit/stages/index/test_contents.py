"""Digests of files and of their pixel data, against the plain ones of the same bytes."""

import hashlib

import pytest

from isocenter.base.errors import FormatError
from isocenter.stages.index.contents import Digests, digests_of
from isocenter.stages.index.options import Content

PIXELS = bytes(range(256)) * 10_000


def plain(data):
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@pytest.mark.parametrize(
    ("start", "end"), [(0, 12), (100, 2_000_000), (5, None), (1 << 20, (1 << 20) + 4), (7, 1 << 20)]
)
def test_a_file_and_its_pixel_data_are_summed_up_in_one_pass(tmp_path, start, end):
    (tmp_path / "a").write_bytes(PIXELS)
    place = (start, None if end is None else end - start)
    found = digests_of(tmp_path / "a", Content.PIXELS, place)
    assert found == Digests(plain(PIXELS), plain(PIXELS[start:end]))


@pytest.mark.parametrize("value", [b"\0\0", b"\x18\xfc"])
def test_pixels_of_one_value_are_like_all_others_of_it(tmp_path, value):
    (tmp_path / "a").write_bytes(b"head" + value * 1_000_000)
    assert digests_of(tmp_path / "a", Content.PIXELS, (4, 2_000_000)).pixels == ""
    (tmp_path / "a").write_bytes(b"head" + value * 999_999 + b"zz")
    assert digests_of(tmp_path / "a", Content.PIXELS, (4, 2_000_000)).pixels != ""


def test_only_what_is_asked_for_is_read(tmp_path):
    assert digests_of(tmp_path / "nowhere", Content.UIDS, (0, 4)) == Digests()
    (tmp_path / "a").write_bytes(PIXELS)
    assert digests_of(tmp_path / "a", Content.FILES, (0, 4)) == Digests(plain(PIXELS))
    with pytest.raises(FormatError):
        digests_of(tmp_path / "nowhere", Content.FILES, None)
