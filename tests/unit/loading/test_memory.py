import itertools
import threading

import numpy as np
import pytest
import torch

from isocenter.loading import memory
from isocenter.loading.memory import LEAST_BYTES, MOST_IDLE_BYTES, MOST_KNOWN_BYTES, Tray, empty, filling

COUNT = LEAST_BYTES


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(memory, "_own", memory._Own())


def address(array):
    return array.__array_interface__["data"][0]


def test_what_nobody_holds_is_handed_out_again():
    first = empty((COUNT,), np.uint8)
    at = address(first)
    del first
    again = empty((2, COUNT // 8), np.float32)
    assert (address(again), again.shape, again.dtype) == (at, (2, COUNT // 8), np.float32)
    assert again.flags.writeable
    assert again.flags.c_contiguous


HOLDERS = {
    "the array": lambda a: a,
    "a part": lambda a: a[5:9],
    "another shape": lambda a: a.reshape(2, -1)[::2].T,
    "other types": lambda a: a.view(np.int16)[1:],
    "a tensor": torch.from_numpy,
    "a part of a tensor": lambda a: torch.from_numpy(a)[3:].view(torch.int8),
    "its bytes": memoryview,
    "an array of a tensor": lambda a: torch.from_numpy(a).numpy(),
    "dlpack": torch.from_dlpack,
    "a thread": lambda a: threading.Thread(target=print, args=(a,)),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_is_held_in_any_way_is_not(holder):
    held = HOLDERS[holder](empty((COUNT,), np.uint8))
    others = [empty((COUNT,), np.uint8) for _ in range(3)]
    for one, two in itertools.combinations(others, 2):
        assert not np.shares_memory(one, two)
    del held
    assert address(empty((COUNT,), np.uint8)) not in {address(one) for one in others}
    assert len(memory._own.blocks) == 4  # the fourth is the one that was held


def test_what_is_kept_is_bounded():
    size = MOST_IDLE_BYTES // 4
    held = [empty((size,), np.uint8) for _ in range(40)]
    assert sum(b.size for b in memory._own.blocks) <= MOST_KNOWN_BYTES
    held.clear()
    one = empty((size + 1,), np.uint8)
    assert sum(b.size for b in memory._own.blocks) <= MOST_IDLE_BYTES + 2 * size
    assert one.size == size + 1


def test_small_arrays_are_new():
    empty((LEAST_BYTES - 1,), np.uint8)
    assert memory._own.blocks == []


def test_each_thread_has_its_own():
    gone = empty((COUNT,), np.uint8)
    at = address(gone)
    del gone
    found = []
    thread = threading.Thread(target=lambda: found.append(empty((COUNT,), np.uint8)))
    thread.start()
    thread.join()
    assert address(found[0]) != at


def test_a_sample_is_put_where_its_batch_has_a_place():
    batch = np.zeros((2, 3, 4), np.float32)
    tray = Tray({"image": batch})
    with filling(tray):
        for tray.number in (0, 1):
            empty((3, 4), np.float32, "image")[...] = tray.number + 1
        for shape, kind, name in (
            ((3, 5), "f4", "image"),
            ((3, 4), "f8", "image"),
            ((3, 4), "f4", "mask"),
            ((3, 4), "f4", ""),
        ):
            assert not np.shares_memory(empty(shape, kind, name), batch)
    assert batch[:, 0, 0].tolist() == [1, 2]
    assert not np.shares_memory(empty((3, 4), np.float32, "image"), batch)
