import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from isocenter.stores.handles import Handles
from isocenter.stores.shard import BACKENDS, Record, digest_of_array


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def shards(folder, count):
    for n in range(count):
        data = np.full((4, 4, 4), n, np.int16)
        record = Record("c", {"image": data}, {"digests": {"image": digest_of_array(data)}})
        with BACKENDS.get("hdf5").create(folder / f"{n}.h5", chunk=(4, 4, 4)) as writer:
            writer.put(record)


def test_few_files_are_open_however_many_are_read(tmp_path):
    shards(tmp_path, 20)
    handles = Handles("hdf5", 1 << 20)
    before = open_files()
    for n in [*range(20), *range(20)]:
        assert (handles.read(tmp_path / f"{n}.h5", "c", "image", ...) == n).all()
    assert open_files() - before <= 8
    handles.close()
    assert open_files() == before


def read_in_child(handles, path, inherited, queue):
    value = int(handles.read(path, "c", "image", (0, 0, 0)))
    queue.put((value, id(handles.reader(path)) == inherited))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_its_own(tmp_path):
    shards(tmp_path, 1)
    path = tmp_path / "0.h5"
    handles = Handles("hdf5", 0)
    inherited = handles.reader(path)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=read_in_child, args=(handles, path, id(inherited), queue))
    child.start()
    assert queue.get() == (0, False)
    child.join()
    assert child.exitcode == 0
    assert int(inherited.read("c", "image", (0, 0, 0))) == 0
