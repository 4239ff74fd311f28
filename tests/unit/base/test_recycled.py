"""Memory that is used again belongs to one array at a time, however long its views live."""

import gc
import threading

import numpy as np
import pytest

from isocenter.base import recycled

SHAPE = (20, 512, 512)


@pytest.fixture(autouse=True)
def _nothing_free():
    recycled._free.clear()
    yield
    recycled._free.clear()


def address_of(array):
    return array.__array_interface__["data"][0]


def test_memory_of_an_array_that_is_gone_is_used_by_the_next():
    first = recycled.empty(SHAPE, np.int16)
    at = address_of(first)
    del first
    gc.collect()
    assert address_of(recycled.empty(SHAPE, np.int16)) == at


def test_memory_stays_with_the_last_view_of_its_array():
    first = recycled.empty(SHAPE, np.int16)
    first[...] = 7
    view = first[3:5, ::2].view(np.uint16).T
    del first
    gc.collect()
    others = [recycled.empty(SHAPE, np.int16) for _ in range(4)]
    for other in others:
        other[...] = 1
    assert (view == 7).all()


def test_arrays_are_whole_of_their_type_and_can_be_written():
    for dtype, shape in (
        (np.int16, SHAPE),
        (np.float32, (9, 511, 513)),
        (np.uint8, (3, 5)),
        (np.bool_, (0, 4)),
    ):
        array = recycled.empty(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned


def test_no_more_is_kept_than_two_blocks_and_none_that_is_twice_as_large():
    arrays = [recycled.empty(SHAPE, np.int16) for _ in range(5)]
    ats = {address_of(a) for a in arrays}
    arrays.clear()
    gc.collect()
    assert len(recycled._free) == 2
    small = recycled.empty((4, 1024, 1024), np.uint8)
    assert address_of(small) not in ats


def test_what_is_free_can_be_given_back():
    recycled.empty(SHAPE, np.int16)
    gc.collect()
    assert recycled._free
    recycled.release()
    assert not recycled._free


def test_threads_never_share_memory():
    wrong = []

    def work(number):
        for _ in range(60):
            array = recycled.empty((9, 512, 512), np.int16)
            array[...] = number
            if not (array == number).all():
                wrong.append(number)
            del array

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
