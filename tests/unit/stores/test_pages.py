"""Pages against the library itself, and against files that no library would survive."""

import os
import random

import lmdb
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.pages import Pages

KEYS = {3: b"case-%02d", 400: b"case-%04d\0image\0", 60000: b"%07d"}


def environment(path, values):
    growing = path.with_suffix(".growing")
    with lmdb.open(str(growing), subdir=False, lock=False, map_size=1 << 28, sync=False) as made:
        with made.begin(write=True) as transaction:
            for key, value in sorted(values.items()):
                transaction.put(key, value, append=True)
        with path.open("wb") as file:
            made.copyfd(file.fileno(), compact=True)
        depth = made.stat()["depth"]
    growing.unlink()
    return depth


def opened(path):
    return Pages(os.open(path, os.O_RDONLY))


def everything(pages, fd_path):
    data = fd_path.read_bytes()
    return {v.key: data[v.offset : v.offset + v.size] for v in pages.beginning_with(b"")}


@pytest.mark.parametrize(("count", "depth"), [(3, 1), (400, 2), (60000, 3)])
def test_every_key_and_value_is_what_the_library_gives(tmp_path, count, depth):
    lot = random.Random(count)
    sizes = [0, 1, 30, 2000, 2040, 5000, 40_000] if count < 10**4 else [0, 5]
    values = {KEYS[count] % n: lot.randbytes(lot.choice(sizes)) for n in range(count)}
    path = tmp_path / "a"
    assert environment(path, values) == depth
    with (
        lmdb.open(str(path), subdir=False, readonly=True, lock=False, readahead=False) as library,
        library.begin() as transaction,
    ):
        assert {bytes(k): bytes(v) for k, v in transaction.cursor()} == values
    assert everything(opened(path), path) == values


def test_keys_are_found_by_what_they_begin_with(tmp_path):
    values = {b"%03d" % n + tail: b"x" for n in range(0, 900, 2) for tail in (b"", b"a", b"b\0")}
    environment(tmp_path / "a", values)
    pages = opened(tmp_path / "a")
    for prefix in [b"", b"0", b"00", b"124", b"898b", b"899", b"9", b"000", b"125"]:
        wanted = sorted(k for k in values if k.startswith(prefix))
        assert [v.key for v in pages.beginning_with(prefix)] == wanted
    for key in [b"", b"123", b"124", b"124a", b"898b\0", b"898b\1", b"\xff"]:
        found = pages.first_since(key)
        assert (found and found.key) == min((k for k in values if k >= key), default=None)


def test_an_environment_without_a_value_has_none(tmp_path):
    environment(tmp_path / "a", {})
    assert opened(tmp_path / "a").first_since(b"") is None


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "a"
    environment(path, {b"case-%04d" % n: bytes([n % 251]) * (n % 40) for n in range(4000)})
    return path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 4200, 8192, -4096, -1])
def test_a_file_that_is_cut_off_is_refused_before_anything_is_read(tmp_path, sound, size):
    (tmp_path / "a").write_bytes(sound[:size])
    with pytest.raises(StoreCorrupt):
        opened(tmp_path / "a")


def test_a_file_that_is_longer_than_its_pages_is_refused(tmp_path, sound):
    (tmp_path / "a").write_bytes(sound + b"\0")
    with pytest.raises(StoreCorrupt, match="bytes"):
        opened(tmp_path / "a")


@pytest.mark.parametrize("text", [b"text", b"\0" * 8192, b"\x89HDF\r\n\x1a\n" * 2000])
def test_a_file_of_another_kind_is_refused(tmp_path, text):
    (tmp_path / "a").write_bytes(text)
    with pytest.raises(StoreCorrupt):
        opened(tmp_path / "a")


def test_no_damage_leads_out_of_the_file_or_round_in_circles(tmp_path, sound):
    """Bytes of the index are set to anything: the walk ends, in what lies inside the file or in one kind of error."""
    lot = random.Random(7)
    refused = walked = 0
    path = tmp_path / "a"
    for _ in range(400):
        data = bytearray(sound)
        for _ in range(lot.choice([1, 1, 4])):
            page = lot.randrange(len(data) // 4096) * 4096
            at = page + lot.choice([lot.randrange(24), lot.randrange(24, 400), lot.randrange(4096)])
            data[at : at + lot.choice([1, 2, 8])] = lot.randbytes(lot.choice([1, 2, 8]))
        path.write_bytes(data[: len(sound)])
        try:
            pages = opened(path)
            for value in pages.beginning_with(b""):
                assert 0 <= value.offset <= value.offset + value.size <= len(sound)
                walked += 1
        except StoreCorrupt:
            refused += 1
    assert refused > 100
    assert walked > 10_000


def test_a_branch_that_leads_back_to_itself_is_refused(tmp_path, sound):
    data = bytearray(sound)
    with lmdb_root(data) as (root, page_size):
        first = int.from_bytes(data[root * page_size + 16 : root * page_size + 18], "little")
        node = root * page_size + first
        data[node : node + 6] = root.to_bytes(6, "little")
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(StoreCorrupt, match="damaged"):
        list(opened(tmp_path / "a").beginning_with(b""))


class lmdb_root:  # noqa: N801 - reads as a phrase
    """Number of the root page, as the second meta page of a compacted file has it, and the size of a page."""

    def __init__(self, data):
        size = int.from_bytes(data[40:44], "little")
        self._found = int.from_bytes(data[size + 128 : size + 136], "little"), size

    def __enter__(self):
        return self._found

    def __exit__(self, *error):
        return False
