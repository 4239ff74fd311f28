import gzip
import io
import zlib

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats import bytes as reading
from isocenter.formats.bytes import (
    check_length,
    inflate,
    inflate_head,
    inflate_zlib,
    limit_for,
    open_beginning,
    open_content,
    read_all,
    read_rest,
    refuse_size,
)


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


def test_content_is_read_here_and_there(tmp_path):
    path, content = tmp_path / "file", bytes(range(256)) * 40
    for data in (content, gzip.compress(content), gzip.compress(content[:99]) + gzip.compress(content[99:])):
        path.write_bytes(data)
        with open_content(path) as file:
            assert file.seek(0, 2) == len(content)
            assert file.seek(300) == 300
            assert file.read(5) == content[300:305]
            file.seek(0)
            assert file.read() == content


def test_nothing_is_seen_of_a_stream_that_is_cut_broken_or_too_large(tmp_path):
    path = tmp_path / "file"
    whole = gzip.compress(bytes(range(256)) * 40, mtime=0)
    broken = bytearray(whole)
    broken[-5] ^= 1
    for data, reason in (
        (whole[:-1], "file/truncated"),
        (whole[:40], "file/truncated"),
        (bytes(broken), "file/corrupt"),
        (whole + b"tail", "file/corrupt"),
    ):
        path.write_bytes(data)
        with pytest.raises(FormatError) as caught, open_content(path):
            pass
        assert caught.value.reason == reason
    path.write_bytes(whole)
    with open_content(path, limit=256 * 40) as file:
        assert len(file.read()) == 256 * 40
    with pytest.raises(FormatError) as caught, open_content(path, limit=256 * 40 - 1):
        pass
    assert caught.value.reason == "file/too-large"
    with pytest.raises(FormatError) as caught, open_content(tmp_path):
        pass
    assert caught.value.reason == "file/unreadable"


def test_the_beginning_of_a_broken_stream_is_seen(tmp_path):
    path, content = tmp_path / "file", bytes(range(256)) * 40
    for data in (content, gzip.compress(content)):
        path.write_bytes(data)
        with open_beginning(path) as file:
            assert file.read() == content
    stream = zlib.compressobj(0, wbits=31)
    whole = stream.compress(content) + stream.flush()
    path.write_bytes(whole[:-500])
    with open_beginning(path) as file:
        assert file.read() == content[: len(content) - 492]
    with open_beginning(path, count=1000) as file:
        assert len(file.read()) <= 1000


PACK = {"raw": bytes, "gzip": gzip.compress, "zlib": zlib.compress}


@pytest.mark.parametrize("encoding", PACK)
def test_the_rest_is_as_long_as_it_should_be(encoding):
    content = bytes(range(1, 201))
    data = PACK[encoding](content)
    for before in (b"", b"header"):
        file = io.BytesIO(before + data)
        file.seek(len(before))
        assert read_rest(file, 200, encoding=encoding) == content
    assert read_rest(io.BytesIO(data), 199, encoding=encoding)[:199] == content[:199]
    for needed, rest, reason in (
        (201, data, "file/truncated"),
        (200, data[:-1], "file/truncated"),
        (200, data + b"x" * 1025, "file/corrupt"),
    ):
        with pytest.raises(FormatError) as caught:
            read_rest(io.BytesIO(rest), needed, encoding=encoding)
        assert caught.value.reason == reason


def test_a_zlib_stream_is_read_to_its_check_sum():
    content = bytes(range(256)) * 9
    data = zlib.compress(content)
    assert (
        inflate_zlib(data) == inflate_zlib(gzip.compress(content)) == inflate_zlib(data + bytes(9)) == content
    )
    for cut in range(len(data)):
        with pytest.raises(FormatError) as caught:
            inflate_zlib(data[:cut])
        assert caught.value.reason == "file/truncated"
    flipped = bytearray(data)
    flipped[-1] ^= 1
    for wrong in (bytes(flipped), data + b"x"):
        with pytest.raises(FormatError) as caught:
            inflate_zlib(wrong)
        assert caught.value.reason == "file/corrupt"
    with pytest.raises(FormatError) as caught:
        inflate_zlib(data, limit=len(content) - 1)
    assert caught.value.reason == "file/too-large"
