import json
import subprocess
import sys

import h5py
import hdf5plugin
import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt
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
    """A shard whose record is as we write it but for one thing."""
    with h5py.File(path, "w") as file:
        group = file.create_group("c")
        meta = np.frombuffer(b'{"digests": {}}', np.uint8)
        group.create_dataset("meta", data=meta, chunks=meta.shape)
        change(file, group)
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


@pytest.mark.parametrize(
    "change",
    [external_link, soft_link, record_elsewhere, external_storage, virtual, other_filter, plugin_filter,
     unknown_filter, huge_chunk, huge_array, strings, references, contiguous, nested],
)  # fmt: skip
def test_a_file_that_is_no_shard_of_ours_is_refused(tmp_path, change):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.arange(4, dtype=np.int16)
        file.create_group("c")
    reader = hdf5.open(hostile(tmp_path / "a.h5", change), cache_bytes=0)
    for look in (reader.arrays, reader.meta, lambda case: reader.read(case, "image", ...)):
        with pytest.raises(StoreCorrupt):
            look("c")
    reader.close()


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
