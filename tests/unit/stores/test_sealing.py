import os

import pytest

from isocenter.base.errors import StoreCorrupt, StoreError
from isocenter.stores.layout import record_of
from isocenter.stores.sealing import sealing, writing
from isocenter.stores.shard import BACKENDS
from tests.contracts.packed import make_case


class NoReader:
    ids = ()

    def __init__(self, path):
        self.path = path

    def close(self):
        pass


def test_the_name_is_given_last_and_nothing_else_is_left(tmp_path):
    (tmp_path / ".a.part-1.growing").write_bytes(b"of a process that was killed")
    with sealing(tmp_path / "a", NoReader, ()) as scratch:
        scratch.write_bytes(b"new")
        scratch.with_name(f"{scratch.name}.more").write_bytes(b"needed meanwhile")
        assert not (tmp_path / "a").exists()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"new"}


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError), sealing(tmp_path / "a", NoReader, ()) as scratch:
        scratch.write_bytes((tmp_path / "none").read_bytes())
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"old"}


def test_what_does_not_read_back_never_gets_the_name(tmp_path):
    backend = BACKENDS.get("lmdb")
    record = record_of(make_case(1))
    with backend.create(tmp_path / "made", chunk=(8, 16, 16)) as writer:
        writer.put(record)
    data = bytearray((tmp_path / "made").read_bytes())
    for at in range(3 * 4096, len(data), 500):
        data[at] ^= 1
    with (
        pytest.raises(StoreCorrupt),
        sealing(tmp_path / "a", lambda p: backend.open(p, cache_bytes=0), [record.id]) as scratch,
    ):
        scratch.write_bytes(data)
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize("ids", [(), ("case-1", "case-2"), ("case-2",)])
def test_a_shard_that_lacks_a_record_never_gets_the_name(tmp_path, ids):
    """As one whose last page, the one that names its records, was not kept by the disk."""
    backend = BACKENDS.get("lmdb")
    record = record_of(make_case(1))
    with backend.create(tmp_path / "made", chunk=(8, 16, 16)) as writer:
        writer.put(record)
    wanted = [record.id if i == "case-1" else i for i in ids]
    with (
        pytest.raises(StoreCorrupt, match="other records"),
        sealing(tmp_path / "a", lambda p: backend.open(p, cache_bytes=0), wanted) as scratch,
    ):
        scratch.write_bytes((tmp_path / "made").read_bytes())
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_the_reason_is_told_without_a_path():
    with (
        pytest.raises(StoreError, match=r"^a\.h5 cannot be written: No space left on device$"),
        writing("a.h5"),
    ):
        raise OSError(28, os.strerror(28), "/home/jane/secret")
    with pytest.raises(StoreError, match="the disk is full or failed"), writing("a", KeyError):
        raise KeyError("x")
