import gzip
import re

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats import text_header
from isocenter.formats.limits import Limits
from isocenter.formats.text_header import read_text_header

END = re.compile(rb"\n\n")


@pytest.fixture(autouse=True)
def _little_at_a_time(monkeypatch):
    monkeypatch.setattr(text_header, "_FIRST_BYTES", 16)
    monkeypatch.setattr(text_header, "_GROWTH", 2)


def read(folder, data, **limits):
    path = folder / "file"
    path.write_bytes(data)
    return read_text_header(path, END, Limits(**limits))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("lines", [1, 2, 5, 100, 3000])
def test_the_header_is_read_to_its_end(lines, pack, tmp_path):
    head = b"\n".join(b"line %d" % n for n in range(lines)) + b"\n\n"
    assert read(tmp_path, pack(head + b"voxels\n\nvoxels" * 99)) == (head, True)
    assert read(tmp_path, pack(head)) == (head, True)
    assert read(tmp_path, pack(head[:-1])) == (head[:-1], False)


@pytest.mark.parametrize(
    ("limits", "allowed", "refused"),
    [
        ({"header_bytes": 100}, b"x" * 98 + b"\n\n", b"x" * 99 + b"\n\n"),
        ({"elements": 5}, b"a\na\na\na\n\n", b"a\na\na\na\na\n\n"),
        ({"value_bytes": 50}, b"x" * 50 + b"\n\n", b"x" * 51 + b"\n\n"),
    ],
)
def test_each_limit_is_just_enough(limits, allowed, refused, tmp_path):
    assert read(tmp_path, allowed + bytes(200), **limits) == (allowed, True)
    with pytest.raises(FormatError) as caught:
        read(tmp_path, refused + bytes(200), **limits)
    assert caught.value.reason == "file/limit"


def test_no_more_is_read_than_is_allowed(tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, gzip.compress(bytes(1 << 20)), header_bytes=1000)
    assert caught.value.reason == "file/limit"
