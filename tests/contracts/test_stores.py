"""Every store backend keeps the contract of `isocenter.stores.shard`."""

import os
import time

import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt, StoreError, StoreNotFound
from isocenter.stores.shard import BACKENDS, Record, digest_of_array

CHUNK = (4, 8, 8)


@pytest.fixture(params=BACKENDS.names())
def backend(request):
    return BACKENDS.get(request.param)


def make_record(case_id, seed=0, **more):
    rng = np.random.default_rng(seed)
    mask = np.zeros((9, 20, 17), np.uint8)
    mask[2:4, 3:9, 4:8] = 1
    arrays = {
        "image": rng.integers(-1024, 3071, (2, 9, 20, 17)).astype(np.int16),
        "float": rng.normal(size=(9, 20, 17)).astype(np.float32),
        "mask": mask,
        "boxes": rng.normal(size=(3, 6)),
        **more,
    }
    arrays["float"][0, 0, :3] = [-0.0, np.inf, 5e-324]
    return Record(
        case_id, arrays, {"name": "é", "n": 1, "digests": {n: digest_of_array(a) for n, a in arrays.items()}}
    )


def write(backend, path, records, chunk=CHUNK):
    with backend.create(path, chunk=chunk) as writer:
        for record in records:
            writer.put(record)
    return path.read_bytes()


def read_all(backend, path, case_id):
    reader = backend.open(path, cache_bytes=0)
    for name in reader.arrays(case_id):
        reader.read(case_id, name, ...)


def interrupted(backend, path):
    with backend.create(path, chunk=CHUNK) as writer:
        writer.put(make_record("d"))
        raise OSError("elsewhere")


def test_what_is_put_comes_back_bit_by_bit(backend, tmp_path):
    records = [make_record(f"case-{n}", n) for n in range(3)]
    write(backend, tmp_path / "a", records)
    reader = backend.open(tmp_path / "a", cache_bytes=1 << 20)
    assert reader.ids == ("case-0", "case-1", "case-2")
    for record in records:
        assert reader.meta(record.id) == record.meta
        facts = reader.arrays(record.id)
        assert facts.keys() == record.arrays.keys()
        for name, array in record.arrays.items():
            back = reader.read(record.id, name, ...)
            assert (facts[name].shape, facts[name].dtype) == (array.shape, array.dtype)
            assert back.dtype == array.dtype
            assert back.tobytes() == array.tobytes()
    reader.close()


@pytest.mark.parametrize(
    "index",
    [0, -1, (0, slice(2, 7)), (slice(None), 3, slice(0, 20, 3), 16), (..., slice(5, 6)), (1, 2, 3, 4)],
)
def test_a_part_is_the_part_that_numpy_gives(backend, tmp_path, index):
    record = make_record("c")
    write(backend, tmp_path / "a", [record])
    reader = backend.open(tmp_path / "a", cache_bytes=0)
    np.testing.assert_array_equal(reader.read("c", "image", index), record.arrays["image"][index])
    reader.close()


NO_INDEX = {
    "none": None,
    "list": [0, 1],
    "true": True,
    "numpy's true": np.True_,
    "a mask": np.ones(2, bool),
    "numbers": np.array([0, 1]),
    "a fraction": 1.0,
    "in a tuple": (slice(None), None),
    "a list in a tuple": (0, [0, 1]),
}


@pytest.mark.parametrize("index", NO_INDEX.values(), ids=NO_INDEX)
def test_what_only_numpy_takes_is_refused_with_what_is_taken(backend, tmp_path, index):
    write(backend, tmp_path / "a", [make_record("c")])
    reader = backend.open(tmp_path / "a", cache_bytes=0)
    with pytest.raises(IndexError, match="integers, slices and an ellipsis"):
        reader.read("c", "image", index)
    reader.close()


def test_integers_of_numpy_are_integers(backend, tmp_path):
    record = make_record("c")
    write(backend, tmp_path / "a", [record])
    reader = backend.open(tmp_path / "a", cache_bytes=0)
    index = (np.int16(1), np.array(2), slice(np.int64(1), None))
    np.testing.assert_array_equal(reader.read("c", "image", index), record.arrays["image"][1, 2, 1:])
    reader.close()


def test_same_records_same_bytes_whatever_the_time_and_memory(backend, tmp_path, monkeypatch):
    records = [make_record(f"case-{n}", n) for n in range(3)]
    first = write(backend, tmp_path / "a", records)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    monkeypatch.setenv("BLOSC_CLEVEL", "9")
    rubbish = [np.full(1 << 20, 77, np.uint8) for _ in range(8)]
    del rubbish
    assert write(backend, tmp_path / "b", records) == first
    assert os.environ["BLOSC_CLEVEL"] == "9"


def test_a_kept_record_leaves_the_bytes_of_a_new_one(backend, tmp_path):
    records = [make_record(f"case-{n}", n) for n in range(4)]
    old = tmp_path / "old"
    write(backend, old, records)
    fresh = write(backend, tmp_path / "fresh", [records[0], records[2], records[3]])
    with backend.create(tmp_path / "mixed", chunk=CHUNK) as writer:
        writer.keep(old, "case-0")
        writer.put(records[2])
        writer.keep(old, "case-3")
    assert (tmp_path / "mixed").read_bytes() == fresh


def test_a_shard_may_be_rewritten_out_of_itself(backend, tmp_path):
    records = [make_record(f"case-{n}", n) for n in range(3)]
    before = write(backend, tmp_path / "a", records)
    with backend.create(tmp_path / "a", chunk=CHUNK) as writer:
        for record in records:
            writer.keep(tmp_path / "a", record.id)
    assert (tmp_path / "a").read_bytes() == before


def test_zeros_cost_almost_nothing(backend, tmp_path):
    shape = (64, 256, 256)
    empty = len(
        write(backend, tmp_path / "a", [make_record("c", mask=np.zeros(shape, np.uint8))], (16, 32, 32))
    )
    small = len(write(backend, tmp_path / "b", [make_record("c")], (16, 32, 32)))
    assert empty - small < np.prod(shape) / 500


def test_a_failure_leaves_no_file_and_the_old_one_as_it_was(backend, tmp_path):
    path = tmp_path / "a"
    before = write(backend, path, [make_record("c")])
    with pytest.raises(OSError, match="elsewhere"):
        interrupted(backend, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_writer_left_is_cleared_away(backend, tmp_path):
    (tmp_path / ".a.part-1").write_bytes(b"half")
    write(backend, tmp_path / "a", [make_record("c")])
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_records_come_in_order_and_hold_numbers(backend, tmp_path):
    with backend.create(tmp_path / "a", chunk=CHUNK) as writer:
        writer.put(make_record("b"))
        with pytest.raises(ValueError, match="order"):
            writer.put(make_record("a"))
        with pytest.raises(ValueError, match="order"):
            writer.put(make_record("b"))
        for case_id, array in {"c": np.array([None]), "d": np.zeros(0)}.items():
            with pytest.raises(ValueError, match="holds numbers"):
                writer.put(Record(case_id, {"image": array}, {}))
        with pytest.raises(ValueError, match="cannot name"):
            writer.put(Record("e", {"../up": np.zeros(1)}, {}))
        with pytest.raises(ValueError, match="cannot name"):
            writer.put(make_record("z/../z"))


def test_what_is_not_there_is_told_without_a_path(backend, tmp_path):
    with pytest.raises(StoreNotFound) as missing:
        backend.open(tmp_path / "a", cache_bytes=0)
    write(backend, tmp_path / "a", [make_record("c")])
    reader = backend.open(tmp_path / "a", cache_bytes=0)
    with pytest.raises(StoreCorrupt) as no_record:
        reader.meta("d")
    with pytest.raises(StoreCorrupt) as no_array:
        reader.read("c", "nothing", ...)
    with pytest.raises(StoreCorrupt), backend.create(tmp_path / "b", chunk=CHUNK) as writer:
        writer.keep(tmp_path / "a", "d")
    assert str(tmp_path) not in f"{missing.value}{no_record.value}{no_array.value}"
    reader.close()


def test_a_part_is_read_into_the_array_that_is_given(backend, tmp_path):
    record = make_record("c")
    write(backend, tmp_path / "a", [record])
    reader = backend.open(tmp_path / "a", cache_bytes=0)
    batch = np.full((2, 5, 6, 7), 77, np.int16)
    for threads in (1, 2):
        given = reader.read("c", "image", (1, slice(2, 7), slice(3, 9), slice(10, 17)), batch[1], threads)
        assert given is batch[1] or np.shares_memory(given, batch[1])
        np.testing.assert_array_equal(batch[1], record.arrays["image"][1, 2:7, 3:9, 10:17])
        assert (batch[0] == 77).all()
    with pytest.raises(ValueError, match="out"):
        reader.read("c", "image", (1, slice(2, 7), slice(3, 9), slice(10, 16)), batch[1])
    reader.close()


def test_a_file_that_is_cut_off_is_refused_or_read_right_up_to_there(backend, tmp_path):
    record = make_record("c")
    data = write(backend, tmp_path / "a", [record])
    for length in np.random.default_rng(3).integers(0, len(data), 60):
        (tmp_path / "b").write_bytes(data[:length])
        with pytest.raises(StoreError):
            read_all(backend, tmp_path / "b", "c")


def test_only_the_chunks_that_a_part_touches_are_read(backend, tmp_path):
    """All others may be anything: the bytes of their payloads are not even looked at."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 1 << 16, (1, 32, 64, 64)).astype(np.uint16)
    record = make_record("c", image=image)
    data = write(backend, tmp_path / "a", [record], (8, 32, 32))
    part = (0, slice(0, 8), slice(0, 32), slice(0, 32))
    spoilt = 0
    for at in range(len(data) // 2, len(data) - 4096, 997):
        (tmp_path / "b").write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            reader = backend.open(tmp_path / "b", cache_bytes=0)
            np.testing.assert_array_equal(reader.read("c", "image", part), image[part])
        except StoreCorrupt:  # it was the index of the file, or the part itself
            continue
        try:
            reader.read("c", "image", ...)
        except StoreCorrupt:
            spoilt += 1
        reader.close()
    assert spoilt > 20


def test_no_flipped_bit_is_read_as_voxels(backend, tmp_path):
    """Every bit is a check sum's, or a structure's that is checked: what is read is right, or an error."""
    record = make_record("c", mask=np.ones((9, 20, 17), np.uint8))
    data = write(backend, tmp_path / "a", [record])
    rng = np.random.default_rng(5)
    errors = 0
    for position in rng.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "b").write_bytes(bytes(damaged))
        try:
            reader = backend.open(tmp_path / "b", cache_bytes=0)
            for name, array in record.arrays.items():
                assert reader.read("c", name, ...).tobytes() == array.tobytes()
            reader.close()
        except StoreError:
            errors += 1
    assert errors > 75
