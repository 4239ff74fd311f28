import h5py
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.store import Store


def flip(path, offset, mask=0x10):
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    path.write_bytes(bytes(data))


def chunk_offset(path, case, name):
    with h5py.File(path) as file:
        info = file[case][name].id.get_chunk_info(0)
        return info.byte_offset + info.size // 2


def test_a_sound_store_has_no_problem(store_root):
    assert Store(store_root).verify() == []


def test_one_flipped_bit_is_found_and_told_down_to_the_array(store_root):
    path = store_root / "shards/00001.h5"
    flip(path, chunk_offset(path, "case-0003", "mask"))
    store = Store(store_root)
    found = {(p.shard, p.case, p.array) for p in store.verify()}
    assert ("shards/00001.h5", "case-0003", "mask") in found
    assert all(p[0] == "shards/00001.h5" for p in found)
    with pytest.raises(StoreCorrupt, match="case-0003"):
        store["case-0003"].mask[...]
    assert store["case-0001"].mask[...].any()


def test_missing_files_strays_and_broken_files_are_told(store_root):
    store = Store(store_root)
    (store_root / "shards/00000.h5").unlink()
    (store_root / "shards/00001.h5").write_bytes(b"nothing")
    (store_root / "shards/left.h5").write_bytes(b"over")
    (store_root / "splits/default.parquet").write_bytes(b"")
    problems = store.verify()
    assert [p.shard for p in problems] == [
        "shards/00000.h5",
        "shards/00001.h5",
        "shards/00001.h5",
        "shards/left.h5",
        "splits/default.parquet",
    ]
    assert problems[0].what == "is missing"
    assert str(store_root) not in str(problems)


def test_a_record_that_is_gone_is_told(store_root):
    path = store_root / "shards/00001.h5"
    with h5py.File(path, "a") as file:
        del file["case-0003"]["mask"]
        del file["case-0001"]
    store = Store(store_root, verify="none")
    found = {(p.case, p.array) for p in store.verify()}
    assert {("case-0003", "mask"), ("case-0001", "")} <= found


def test_a_changed_manifest_is_told(store_root):
    path = store_root / "manifest.json"
    path.write_text(path.read_text().replace('"cohort"', '"another"'))
    assert [p.shard for p in Store(store_root, verify="none").verify()] == ["manifest.json"]
