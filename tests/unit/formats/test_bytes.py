import gzip
import zlib

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats import bytes as reading
from isocenter.formats.bytes import check_length, inflate, inflate_head, limit_for, read_all, refuse_size


def test_members_are_joined_and_zeros_may_follow():
    data = gzip.compress(b"abc") + gzip.compress(b"") + gzip.compress(b"def")
    assert inflate(data) == b"abcdef"
    assert inflate(data + bytes(reading.MAX_PADDING_BYTES)) == b"abcdef"


@pytest.mark.parametrize("tail", [b"x", bytes(reading.MAX_PADDING_BYTES + 1), b"\x1f"])
def test_anything_else_may_not_follow(tail):
    with pytest.raises(FormatError) as caught:
        inflate(gzip.compress(b"abc") + tail)
    assert caught.value.reason == "file/corrupt"


def test_content_larger_than_one_piece(monkeypatch):
    monkeypatch.setattr(reading, "_PIECE_IN", 7)
    monkeypatch.setattr(reading, "_PIECE_OUT", 11)
    content = bytes(range(256)) * 9
    assert inflate(gzip.compress(content) * 2) == content * 2


def test_every_cut_is_seen():
    data = gzip.compress(bytes(range(256)) * 4)
    for cut in range(2, len(data)):
        with pytest.raises(FormatError) as caught:
            inflate(data[:cut])
        assert caught.value.reason == "file/truncated"


def test_the_limit_is_just_enough():
    data = gzip.compress(bytes(1000))
    assert len(inflate(data, limit=1000)) == 1000
    with pytest.raises(FormatError) as caught:
        inflate(data, limit=999)
    assert caught.value.reason == "file/too-large"


def test_members_are_counted(monkeypatch):
    monkeypatch.setattr(reading, "MAX_MEMBERS", 3)
    assert inflate(gzip.compress(b"a") * 3) == b"aaa"
    with pytest.raises(FormatError) as caught:
        inflate(gzip.compress(b"a") * 4)
    assert caught.value.reason == "file/too-large"


def test_what_a_file_may_grow_to():
    assert limit_for(1) == reading.ALWAYS_ALLOWED_BYTES
    assert limit_for(10 << 20) == reading.MAX_RATIO * (10 << 20)
    assert limit_for(1 << 40) == reading.MAX_BYTES
    refuse_size(5, 5)
    with pytest.raises(FormatError):
        refuse_size(6, 5)


def test_lengths():
    check_length(10, 10)
    check_length(10 + reading.MAX_PADDING_BYTES, 10)
    for length, reason in ((9, "file/truncated"), (11 + reading.MAX_PADDING_BYTES, "file/corrupt")):
        with pytest.raises(FormatError) as caught:
            check_length(length, 10)
        assert caught.value.reason == reason


def test_a_plain_file_comes_in_memory_that_may_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_PIECE_OUT", 3)
    path = tmp_path / "plain"
    path.write_bytes(b"0123456789")
    data = read_all(path)
    data[0] = 65
    assert data == b"A123456789"
    with pytest.raises(FormatError) as caught:
        read_all(path, limit=9)
    assert caught.value.reason == "file/too-large"


def test_the_head_before_a_broken_place_is_known():
    content = bytes(range(256)) * 40
    stream = zlib.compressobj(0, wbits=31)
    data = bytearray(stream.compress(content) + stream.flush())
    assert inflate_head(bytes(data), 500) == content[:500]
    data[-6] ^= 1
    assert inflate_head(bytes(data), 20_000).startswith(content[:8000])
    assert inflate_head(b"plain", 3) == b"plain"
    assert inflate_head(b"\x1f\x8bnonsense", 3) == b""
