import json
import os
import subprocess
import sys

import h5py
import hdf5plugin
import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores import part
from isocenter.stores.backends import hdf5
from isocenter.stores.shard import Record, digest_of_array

DATA = np.arange(4 * 6 * 5, dtype=np.int16).reshape(1, 4, 6, 5)


def make_record(case_id="c", **more):
    arrays = {"image": DATA, **more}
    return Record(case_id, arrays, {"digests": {n: digest_of_array(a) for n, a in arrays.items()}})


@pytest.fixture
def shard(tmp_path):
    with hdf5.create(tmp_path / "a.h5", chunk=(2, 4, 4)) as writer:
        writer.put(make_record())
    return tmp_path / "a.h5"


def test_anyone_with_h5py_and_hdf5plugin_can_read_it(shard):
    with h5py.File(shard) as file:
        image = file["c/image"]
        np.testing.assert_array_equal(image[...], DATA)
        assert image.chunks == (1, 2, 4, 4)
        assert image.fletcher32
        assert json.loads(file["c/meta"][()].tobytes())["digests"] == {"image": digest_of_array(DATA)}


def test_no_time_and_no_object_is_in_it(shard):
    with h5py.File(shard) as file:
        for name in ("c/image", "c/meta"):
            assert file[name].dtype.kind in "iu"
            assert h5py.h5g.get_objinfo(file.id, name.encode()).mtime == 0
            assert not file[name].attrs


def test_zero_chunks_of_integers_are_not_stored_but_those_of_floats_are(tmp_path):
    mask, scan = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8), np.float32)
    mask[0, 0, 0] = 1
    with hdf5.create(tmp_path / "a.h5", chunk=(2, 4, 4)) as writer:
        writer.put(make_record(mask=mask, scan=scan))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["c/mask"].id.get_num_chunks() == 1
        assert file["c/scan"].id.get_num_chunks() == 8


def hostile(path, change):
    """A shard as we write it, but for one thing."""
    with hdf5.create(path, chunk=(2, 4, 4)) as writer:
        writer.put(make_record(other=DATA))
    with h5py.File(path, "r+", locking=False) as file:
        del file["c/image"]
        change(file, file["c"])
    return path


def external_link(file, group):
    group["image"] = h5py.ExternalLink("secret.h5", "/data")


def soft_link(file, group):
    file.create_dataset("other", data=DATA, chunks=DATA.shape)
    group["image"] = h5py.SoftLink("/other")


def record_elsewhere(file, group):
    del file["c"]
    file["c"] = h5py.ExternalLink("secret.h5", "/")


def external_storage(file, group):
    group.create_dataset("image", shape=(64,), dtype="u1", external=[("/etc/hostname", 0, 64)])


def virtual(file, group):
    layout = h5py.VirtualLayout(shape=(4,), dtype="i2")
    layout[:] = h5py.VirtualSource("secret.h5", "data", shape=(4,))
    group.create_virtual_dataset("image", layout)


def other_filter(file, group):
    group.create_dataset("image", data=DATA, chunks=DATA.shape, compression="gzip")


def plugin_filter(file, group):
    group.create_dataset("image", data=DATA, chunks=DATA.shape, **hdf5plugin.Zstd())


def unknown_filter(file, group):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_filter(h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(group.id, b"image", h5py.h5t.NATIVE_INT16, space, plist)


def huge_chunk(file, group):
    group.create_dataset("image", shape=(1 << 29,), dtype="u1", chunks=(1 << 29,))


def huge_array(file, group):
    group.create_dataset("image", shape=(1 << 40,), dtype="u1", chunks=(1 << 16,))


def strings(file, group):
    group.create_dataset("image", data=["a", "b"], chunks=(2,))


def references(file, group):
    group.create_dataset("image", shape=(2,), dtype=h5py.ref_dtype, chunks=(2,))


def contiguous(file, group):
    group.create_dataset("image", data=DATA)


def nested(file, group):
    group.create_group("image")


def other_order(file, group):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_fletcher32()
    plist.set_filter(hdf5plugin.BLOSC_ID, h5py.h5z.FLAG_OPTIONAL, (2, 2, 2, 8, 5, 2, 1))
    h5py.h5d.create(group.id, b"image", h5py.h5t.NATIVE_INT16, h5py.h5s.create_simple((4,)), plist)


def no_check_sum(file, group):
    group.create_dataset("image", data=DATA, chunks=DATA.shape, **hdf5plugin.Blosc())


def skipped_check_sum(file, group):
    data = group.create_dataset(
        "image", shape=(4,), dtype="i2", chunks=(4,), fletcher32=True, **hdf5plugin.Blosc()
    )
    data.id.write_direct_chunk((0,), bytes(8), 2)


def long_chunk(file, group):
    data = group.create_dataset(
        "image", shape=(4,), dtype="i2", chunks=(4,), fletcher32=True, **hdf5plugin.Blosc()
    )
    data.id.write_direct_chunk((0,), bytes(4096))


@pytest.mark.parametrize(
    "change",
    [external_link, soft_link, record_elsewhere, external_storage, virtual, other_filter, plugin_filter,
     unknown_filter, huge_chunk, huge_array, strings, references, contiguous, nested, other_order, no_check_sum, skipped_check_sum,
     long_chunk],
)  # fmt: skip
def test_a_file_that_is_no_shard_of_ours_is_refused(tmp_path, change):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.arange(4, dtype=np.int16)
        file.create_group("c")
    reader = hdf5.open(hostile(tmp_path / "a.h5", change), cache_bytes=0)
    with pytest.raises(StoreCorrupt):
        reader.read("c", "image", ...)
    if change not in {skipped_check_sum, long_chunk}:  # which only the places of chunks tell
        for look in (reader.arrays, reader.meta, lambda case: reader.read(case, "other", ...)):
            with pytest.raises(StoreCorrupt):
                look("c")
    reader.close()


def test_a_shard_that_nothing_was_changed_in_is_not_refused(tmp_path):
    reader = hdf5.open(hostile(tmp_path / "a.h5", lambda *_: None), cache_bytes=0)
    np.testing.assert_array_equal(reader.read("c", "other", ...), DATA)
    reader.close()


def test_a_chunk_that_hdf5_left_uncompressed_is_read(tmp_path):
    """Shards of layout 4 hold such chunks, where Blosc gained nothing."""
    noise = np.random.default_rng(0).random((1, 6))
    path = hostile(tmp_path / "a.h5", lambda _, group: group.create_dataset(
        "image", data=noise, chunks=noise.shape, fletcher32=True, **hdf5plugin.Blosc(cname="lz4")
    ))  # fmt: skip
    with h5py.File(path, locking=False) as file:
        assert file["c/image"].id.get_chunk_info(0).filter_mask == 1
    reader = hdf5.open(path, cache_bytes=0)
    np.testing.assert_array_equal(reader.read("c", "image", ...), noise)
    placed = list(reader.payloads("c", "image")[2])
    assert [(position, mask) for position, _, mask in placed] == [((0, 0), 1)]  # and so it would be kept
    reader.close()


def test_what_h5py_writes_is_read_alike(tmp_path):
    """The same arrays through HDF5's own filters, in larger chunks, by all parts of them."""
    rng = np.random.default_rng(0)
    image = (
        np.arange(3 * 40 * 90 * 70).reshape(3, 40, 90, 70) // 7 + rng.integers(0, 9, (3, 40, 90, 70))
    ).astype("i2")
    path = hostile(tmp_path / "a.h5", lambda _, group: group.create_dataset(
        "image", data=image, chunks=(1, 32, 64, 64), fletcher32=True,
        **hdf5plugin.Blosc(cname="lz4", clevel=5, shuffle=hdf5plugin.Blosc.BITSHUFFLE),
    ))  # fmt: skip
    reader = hdf5.open(path, cache_bytes=0)
    for index in (..., np.s_[1, 3:38, 60:70, 5:66], np.s_[:, -1, ::3, 2]):
        np.testing.assert_array_equal(reader.read("c", "image", index), image[index])
        np.testing.assert_array_equal(reader.read("c", "image", index, threads=3), image[index])
    reader.close()


def test_the_places_that_are_remembered_are_bounded(tmp_path):
    with hdf5.create(tmp_path / "a.h5", chunk=(2, 4, 4)) as writer:
        for n in range(20):
            writer.put(make_record(f"c{n:02}"))
    reader = hdf5.open(tmp_path / "a.h5", cache_bytes=100)
    for n in [*range(20), *range(20)]:
        np.testing.assert_array_equal(reader.read(f"c{n:02}", "image", ...), DATA)
        assert sum(p.nbytes for p in reader._placed.values()) == reader._held <= 200
    reader.close()


def test_a_file_that_was_cut_after_it_was_opened_is_told(shard):
    reader = hdf5.open(shard, cache_bytes=1 << 20)
    reader.read("c", "image", 0)
    with h5py.File(shard, locking=False) as file:
        end = file["c/image"].id.get_chunk_info(7).byte_offset + 9
    os.truncate(shard, end)
    with pytest.raises(StoreCorrupt, match="ends early"):
        reader.read("c", "image", ...)
    reader.close()


def write(path, record, chunk=(2, 4, 4)):
    with hdf5.create(path, chunk=chunk) as writer:
        writer.put(record)
    return path


ONE_OFF = DATA.copy()
ONE_OFF[0, 3, 5, 4] += 1
SWAPPED = DATA.copy()
SWAPPED[:, :2], SWAPPED[:, 2:] = DATA[:, 2:], DATA[:, :2]
KEPT_INSTEAD = {
    "a voxel": (make_record(image=ONE_OFF, valid=DATA), "c image"),
    "chunks in another order": (make_record(image=SWAPPED, valid=DATA), "c image"),
    "zeros": (make_record(image=DATA, valid=0 * DATA), "c valid"),
    "other facts": (Record("c", {"image": DATA, "valid": DATA}, {"n": 1, "digests": make_record(valid=DATA).meta["digests"]}), "c meta"),
    "an array less": (make_record(image=DATA), "c"),
    "another case": (make_record("d", valid=DATA), "c image: is missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", KEPT_INSTEAD)
def test_a_disk_that_kept_something_else_is_found_though_every_check_sum_is_right(
    tmp_path, monkeypatch, what
):
    instead, named = KEPT_INSTEAD[what]
    instead.meta["digests"] = make_record(valid=DATA).meta["digests"]  # they are not what is compared
    other, opened = write(tmp_path / "other", instead).read_bytes(), hdf5.open

    def swapping(path, *, cache_bytes):
        path.write_bytes(other)
        return opened(path, cache_bytes=cache_bytes)

    monkeypatch.setattr(hdf5, "open", swapping)
    with pytest.raises(StoreCorrupt, match=named):
        write(tmp_path / "a.h5", make_record(valid=DATA))
    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_a_flipped_bit_is_found_before_the_file_gets_its_name(tmp_path, monkeypatch):
    opened = hdf5.open

    def flipping(path, *, cache_bytes):
        with h5py.File(path, locking=False) as file:
            place = file["c/image"].id.get_chunk_info(3).byte_offset + 20
        data = bytearray(path.read_bytes())
        data[place] ^= 4
        path.write_bytes(data)
        return opened(path, cache_bytes=cache_bytes)

    monkeypatch.setattr(hdf5, "open", flipping)
    with pytest.raises(StoreCorrupt, match="c image: chunk 3 is not what was written"):
        write(tmp_path / "a.h5", make_record())
    assert list(tmp_path.iterdir()) == []


def test_a_kept_record_is_compared_with_its_digests(tmp_path):
    record = make_record()
    record.meta["digests"]["image"] = "0" * 32
    old = write(tmp_path / "old", record)
    with (
        pytest.raises(StoreCorrupt, match="c image: reads back otherwise"),
        hdf5.create(tmp_path / "a.h5", chunk=(2, 4, 4)) as writer,
    ):
        writer.keep(old, "c")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_read_that_was_broken_off_is_tried_once_more(shard, monkeypatch):
    reader, fetch, calls = hdf5.open(shard, cache_bytes=1 << 20), part.fetch, []

    def failing(often):
        def fetching(*args):
            calls.append(args)
            return (0, -1) if len(calls) <= often else fetch(*args)

        return fetching

    monkeypatch.setattr(part, "fetch", failing(1))
    np.testing.assert_array_equal(reader.read("c", "image", ...), DATA)
    assert len(calls) == 2
    calls.clear()
    monkeypatch.setattr(part, "fetch", failing(9))
    with pytest.raises(StoreCorrupt, match="c image"):
        reader.read("c", "image", ...)
    reader.close()


def test_writing_needs_no_more_memory_than_a_slab(tmp_path):
    """What is read back after writing is not held as a whole."""
    code = (
        "import sys, numpy as np, resource\n"
        "from pathlib import Path\n"
        "from isocenter.stores.backends import hdf5\n"
        "from isocenter.stores.shard import Record, digest_of_array\n"
        "image = np.random.default_rng(0).integers(0, 9, (1, 400, 256, 256)).astype(np.int16)\n"
        "record = Record('c', {'image': image}, {'digests': {'image': digest_of_array(image)}})\n"
        "small = Record('b', {'image': image[:, :8]}, {'digests': {'image': digest_of_array(image[:, :8])}})\n"
        "with hdf5.create(Path(sys.argv[1]), chunk=(8, 32, 32)) as writer: writer.put(small)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with hdf5.create(Path(sys.argv[1]), chunk=(8, 32, 32)) as writer: writer.put(record)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / image.nbytes)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.h5")], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) < 0.3


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"text", b"\x00" * 4096])
def test_a_file_that_is_no_hdf5_is_refused(tmp_path, content):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"a\.h5"):
        hdf5.open(tmp_path / "a.h5", cache_bytes=0)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from isocenter.base.errors import StoreError
from isocenter.stores import part
from isocenter.stores.backends import hdf5
from isocenter.stores.shard import Record, digest_of_array
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
data = np.random.default_rng(0).integers(0, 99, (1, 20, 40, 40)).astype(np.int16)
record = lambda n: Record(f"c{n}", {"image": data}, {"digests": {"image": digest_of_array(data)}})
said = []
for limit in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with hdf5.create(Path(sys.argv[1]), chunk=(8, 16, 16)) as writer:
            for n in range(3):
                writer.put(record(n))
        said.append("whole")
    except StoreError:
        said.append("error")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(*said)
"""


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path):
    limits = ["1000", "20000", "50000", "90000", "100000000"]
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.h5"), *limits],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert run.stdout.split() == ["error"] * 4 + ["whole"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]
