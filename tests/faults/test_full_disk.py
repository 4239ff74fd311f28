"""On a disk of 8 MiB that fills up: told with the reason, the old shard as it was, nothing half, and then it goes on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isocenter.base.errors import StoreError
from isocenter.stores.shard import BACKENDS, Record, digest_of_array

BYTES = 8 << 20
CHUNK = (8, 64, 64)


@pytest.fixture
def small_disk(tmp_path):
    """A file system in memory of its own; skipped where this process may not make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={BYTES},mode=700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this process may not make a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def make_record(case_id, seed, slices):
    image = np.random.default_rng(seed).integers(0, 1 << 16, (slices, 128, 128)).astype(np.uint16)
    return Record(case_id, {"image": image}, {"digests": {"image": digest_of_array(image)}})


def write(backend, path, slices, cases=3):
    with backend.create(path, chunk=CHUNK) as writer:
        for n in range(cases):
            writer.put(make_record(f"case-{n}", n, slices))


@pytest.mark.parametrize("name", BACKENDS.names())
def test_a_full_disk_is_told_and_costs_nothing_that_was_there(name, small_disk):
    backend = BACKENDS.get(name)
    path = small_disk / "a"
    write(backend, path, 8)
    before = path.read_bytes()
    for slices in (80, 100, 200):  # 7.5, 9 and 18 MiB
        with pytest.raises(StoreError, match=r"No space left|disk is full"):
            write(backend, path, slices)
        assert path.read_bytes() == before
        assert [p.name for p in small_disk.iterdir()] == ["a"]
    (small_disk / "ballast").write_bytes(bytes(small_disk.stat().st_blksize * 100))
    write(backend, path, 9)
    reader = backend.open(path, cache_bytes=0)
    assert reader.ids == ("case-0", "case-1", "case-2")
    np.testing.assert_array_equal(reader.read("case-1", "image", ...), make_record("x", 1, 9).arrays["image"])
    reader.close()


LIMITED = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from isocenter.base.errors import StoreError
from isocenter.stores.shard import BACKENDS
from tests.faults.test_full_disk import write
backend, folder = BACKENDS.get(sys.argv[1]), Path(sys.argv[2])
write(backend, folder / "whole", 4, cases=2)
whole = (folder / "whole").read_bytes()
(folder / "a").write_bytes(b"old")
refused = limit = 0
while True:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write(backend, folder / "a", 4, cases=2)
    except StoreError:
        refused += 1
        assert (folder / "a").read_bytes() == b"old"
        assert sorted(p.name for p in folder.iterdir()) == ["a", "whole"]
        limit += len(whole) // 40 + 1
        continue
    break
assert (folder / "a").read_bytes() == whole
print(refused)
"""


@pytest.mark.parametrize("name", BACKENDS.names())
def test_a_file_that_may_grow_to_any_size_but_the_right_one_is_refused(name, tmp_path):
    """No rights are needed for this: the limit is the process's own, and the system refuses at any byte."""
    places = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, name, str(tmp_path)],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": places}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 30
