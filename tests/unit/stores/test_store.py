import pickle
import shutil
import threading

import numpy as np
import pytest

from isocenter.base.errors import ConfigError, StoreCorrupt, StoreNotFound
from isocenter.stores.store import Store


def test_it_is_a_mapping_of_cases_in_the_order_of_their_ids(store_root, case):
    store = Store(store_root)
    assert len(store) == 5
    assert list(store) == [f"case-{n:04x}" for n in range(5)]
    assert [r.id for r in store.cases] == list(store)
    assert "case-0001" in store
    assert "case-9" not in store
    assert 3 not in store
    with pytest.raises(KeyError):
        store["case-9"]
    np.testing.assert_array_equal(np.asarray(store["case-0003"].image), case(3).image)
    assert "5 cases" in repr(store)
    store.close()


def test_a_slice_reads_less_than_the_whole(store_root, case):
    made, kept = case(2), Store(store_root)["case-0002"]
    assert kept.image.shape == made.image.shape
    np.testing.assert_array_equal(kept.image[0, 2:5, 7:9, ::3], made.image[0, 2:5, 7:9, ::3])
    np.testing.assert_array_equal(kept.raters["b/Å"][3], made.raters["b/Å"][3])
    assert kept.valid[0].dtype == np.bool_
    assert not kept.valid[0].any()


def test_it_opens_when_copied_alone(store_root, tmp_path):
    shutil.copytree(store_root, tmp_path / "copy")
    shutil.rmtree(store_root)
    store = Store(tmp_path / "copy", verify="read")
    assert store.verify() == []
    assert store.splits() == ("default",)
    assert {r.partition for r in store.split().rows} == {"train", "val"}


def test_it_travels_to_other_processes_without_its_handles(store_root, case):
    store = Store(store_root)
    kept = store["case-0000"]
    assert len(store.cases) == 5
    back = pickle.loads(pickle.dumps((store, kept)))
    np.testing.assert_array_equal(np.asarray(back[1].image), case(0).image)
    assert "cases" not in back[0].__dict__
    assert len(back[0]) == 5


def test_each_thread_has_its_own_handles(store_root, case):
    store, out = Store(store_root), {}

    def read(number):
        for _ in range(20):
            out[number] = np.asarray(store[f"case-{number:04x}"].image)
        store.close()

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        np.testing.assert_array_equal(out[number], case(number).image)


def test_no_store_is_told(tmp_path):
    with pytest.raises(StoreNotFound, match=r"no store at nowhere"):
        Store(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        Store(tmp_path)


def test_an_unknown_way_to_verify_is_refused(store_root):
    with pytest.raises(ConfigError, match="seal, read, none"):
        Store(store_root, verify="yes")


def test_the_seal_knows_a_missing_shard_its_size_and_the_table(store_root):
    shard = store_root / "shards/00001.h5"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    with pytest.raises(StoreCorrupt, match="00001"):
        Store(store_root)
    Store(store_root, verify="none")
    shard.unlink()
    with pytest.raises(StoreNotFound, match="00001"):
        Store(store_root)
    shard.write_bytes(content)
    table = store_root / "cases.parquet"
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(bytes(data))
    with pytest.raises(StoreCorrupt, match=r"cases\.parquet"):
        Store(store_root)


def test_a_whole_array_is_compared_where_reading_is_verified(store_root, monkeypatch):
    store = Store(store_root, verify="read")
    assert np.asarray(store["case-0001"].image).shape == (1, 12, 40, 36)
    read = store._handles.read
    monkeypatch.setattr(type(store._handles), "read", lambda _self, *a: read(*a) + 1)
    image = store.arrays("case-0001")["image"]
    with pytest.raises(StoreCorrupt, match="case-0001 image"):
        np.asarray(image)
    assert image[0, :2].shape == (2, 40, 36)
