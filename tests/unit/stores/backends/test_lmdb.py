import json
import os

import imagecodecs
import lmdb as library
import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt, StoreError
from isocenter.stores.backends import lmdb
from isocenter.stores.shard import Record, digest_of_array

DATA = np.arange(4 * 6 * 5, dtype=np.int16).reshape(1, 4, 6, 5)


def make_record(case_id="c", **more):
    arrays = {"image": DATA, **more}
    return Record(case_id, arrays, {"digests": {n: digest_of_array(a) for n, a in arrays.items()}})


def write(path, *records, chunk=(2, 4, 4)):
    with lmdb.create(path, chunk=chunk) as writer:
        for record in records:
            writer.put(record)
    return path


def entries(path):
    """Keys and values as the library gives them."""
    with (
        library.open(str(path), subdir=False, readonly=True, lock=False, readahead=False) as environment,
        environment.begin() as transaction,
    ):
        return {bytes(k): bytes(v) for k, v in transaction.cursor()}


def test_bytes_that_do_not_read_back_never_get_the_name(tmp_path):
    record = make_record()
    record.meta["digests"]["image"] = "0" * 32  # as if the disk had kept something else
    with pytest.raises(StoreCorrupt, match="c image"):
        write(tmp_path / "a", record)
    assert list(tmp_path.iterdir()) == []


def test_anyone_with_lmdb_and_blosc_can_read_it(tmp_path):
    found = entries(write(tmp_path / "a.lmdb", make_record()))
    head = json.loads(found[b"c\0\xff"][4:])
    about = head["arrays"]["image"]
    assert (about["shape"], about["type"], about["chunk"]) == ([1, 4, 6, 5], "<i2", [1, 2, 4, 4])
    assert head["meta"]["digests"] == {"image": digest_of_array(DATA)}
    back = np.zeros((1, 4, 8, 8), np.int16)
    for number, (k, j, i) in enumerate(np.ndindex(2, 2, 2)):
        raw = imagecodecs.blosc_decode(found[b"c\0image\0" + number.to_bytes(4, "big")][4:])
        block = np.frombuffer(raw, "<i2").reshape(1, 2, 4, 4)
        back[:, 2 * k : 2 * k + 2, 4 * j : 4 * j + 4, 4 * i : 4 * i + 4] = block
    np.testing.assert_array_equal(back[:, :, :6, :5], DATA)


def test_there_is_one_file_of_one_transaction_and_the_map_is_that_of_the_content(tmp_path):
    path = write(tmp_path / "a.lmdb", *(make_record(f"c{n:02}") for n in range(20)))
    assert [p.name for p in tmp_path.iterdir()] == ["a.lmdb"]
    with library.open(str(path), subdir=False, readonly=True, lock=False) as environment:
        facts, page = environment.info(), environment.stat()["psize"]
    assert facts["last_txnid"] == 1
    assert (facts["last_pgno"] + 1) * page == path.stat().st_size
    assert path.stat().st_blocks * 512 >= path.stat().st_size * 0.95  # no holes that a copy would fill


def test_the_map_grows_with_the_content(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb, "_FIRST_MAP_BYTES", 1 << 16)
    rng = np.random.default_rng(0)
    noise = {f"c{n:02}": rng.integers(0, 1 << 16, (4, 64, 64)).astype(np.uint16) for n in range(16)}
    path = write(tmp_path / "a", *(make_record(c, noise=a) for c, a in noise.items()), chunk=(2, 32, 32))
    assert path.stat().st_size > 4 << 16
    reader = lmdb.open(path, cache_bytes=0)
    for case, array in noise.items():
        np.testing.assert_array_equal(reader.read(case, "noise", ...), array)
    reader.close()


def test_where_the_map_begins_is_of_no_account(tmp_path, monkeypatch):
    records = [make_record(f"c{n}", seed=np.full((4, 64, 64), n + 1, np.uint8)) for n in range(9)]
    first = write(tmp_path / "a", *records).read_bytes()
    monkeypatch.setattr(lmdb, "_FIRST_MAP_BYTES", 1 << 26)
    assert write(tmp_path / "b", *records).read_bytes() == first


def test_zero_chunks_of_integers_are_not_stored_but_those_of_floats_are(tmp_path):
    mask, scan = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8), np.float32)
    mask[0, 0, 0] = 1
    found = entries(write(tmp_path / "a", make_record(mask=mask, scan=scan)))
    assert sum(k.startswith(b"c\0mask\0") for k in found) == 1
    assert sum(k.startswith(b"c\0scan\0") for k in found) == 8


def test_a_chunk_that_is_gone_is_no_chunk_of_zeros(tmp_path):
    path = write(tmp_path / "a", make_record())
    values = entries(path)
    del values[b"c\0image\0\0\0\0\1"]
    _forge(path, values)
    reader = lmdb.open(path, cache_bytes=0)
    with pytest.raises(StoreCorrupt, match="missing"):
        reader.read("c", "image", ...)
    with pytest.raises(StoreCorrupt, match="missing"), lmdb.create(tmp_path / "b", chunk=(2, 4, 4)) as writer:
        writer.keep(path, "c")
    reader.close()


def test_a_value_under_another_key_is_refused(tmp_path):
    path = write(tmp_path / "a", make_record())
    values = entries(path)
    first, second = b"c\0image\0\0\0\0\0", b"c\0image\0\0\0\0\1"
    values[first], values[second] = values[second], values[first]
    _forge(path, values)
    with pytest.raises(StoreCorrupt, match="check sum"):
        lmdb.open(path, cache_bytes=0).read("c", "image", ...)


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error_and_no_signal(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 1 << 16, (8, 64, 64)).astype(np.uint16)
    path = write(tmp_path / "a", make_record(noise=noise))
    reader = lmdb.open(path, cache_bytes=0)
    np.testing.assert_array_equal(reader.read("c", "noise", 0), noise[0])
    os.truncate(path, 3 * 4096)
    with pytest.raises(StoreCorrupt, match="cut off"):
        reader.read("c", "noise", ...)


def test_the_disk_of_another_machine_is_refused_with_the_reason(tmp_path, monkeypatch):
    for kind in ("nfs4", "cifs", "fuse.sshfs", "lustre", "9p"):
        monkeypatch.setattr(lmdb, "kind_of", lambda _, kind=kind: kind)
        with pytest.raises(StoreError, match=f"{kind}.*hdf5"):
            write(tmp_path / "a", make_record())
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_copied_to_the_disk_of_another_machine_is_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a", make_record())
    monkeypatch.setattr(lmdb, "kind_of", lambda _: "nfs4")
    np.testing.assert_array_equal(lmdb.open(path, cache_bytes=0).read("c", "image", ...), DATA)


def test_the_tables_that_are_remembered_are_bounded(tmp_path):
    with lmdb.create(tmp_path / "a", chunk=(2, 4, 4)) as writer:
        for n in range(20):
            writer.put(make_record(f"c{n:02}"))
    counts = []
    for cache_bytes in (0, 1000, 1 << 20):
        reader = lmdb.open(tmp_path / "a", cache_bytes=cache_bytes)
        for n in [*range(20), *range(20)]:
            np.testing.assert_array_equal(reader.read(f"c{n:02}", "image", ...), DATA)
            held = sum(size for kept in (reader._tables, reader._held) for _, size in kept._held.values())
            assert held <= max(cache_bytes, 2000)  # what was read last is held in any case
        counts.append(len(reader._tables._held))
        reader.close()
    assert counts[0] == 1 < counts[1] < counts[2] == 20


def test_a_name_that_is_too_long_for_a_key_is_a_bad_call(tmp_path):
    with pytest.raises(ValueError, match="too long"):
        write(tmp_path / "a", make_record("c" * 600))


def _forge(path, values):
    """The same file with other values, made by the library."""
    path.unlink()
    growing = path.with_name("growing")
    with library.open(str(growing), subdir=False, lock=False, map_size=1 << 24) as environment:
        with environment.begin(write=True) as transaction:
            for key, value in sorted(values.items()):
                transaction.put(key, value, append=True)
        with path.open("wb") as file:
            environment.copyfd(file.fileno(), compact=True)
    growing.unlink()
