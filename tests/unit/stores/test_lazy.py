import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.lazy import LazyArray
from isocenter.stores.shard import ArrayFacts, digest_of_array

DATA = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def read(index, out, _threads):
    if out is None:
        return DATA[index]
    out[...] = DATA[index]
    return out


def lazy(digest="", *, is_mask=False):
    return LazyArray(read, ArrayFacts(DATA.shape, DATA.dtype), name="c image", is_mask=is_mask, digest=digest)


def test_it_slices_like_an_array():
    array = lazy()
    assert (array.shape, array.ndim, array.nbytes, len(array)) == ((2, 3, 4), 3, 24, 2)
    np.testing.assert_array_equal(array[1, :2], DATA[1, :2])
    np.testing.assert_array_equal(np.asarray(array), DATA)
    assert np.asarray(array, dtype=np.float32).dtype == np.float32


def test_a_whole_array_is_compared_with_its_digest():
    np.testing.assert_array_equal(lazy(digest_of_array(DATA))[...], DATA)
    with pytest.raises(StoreCorrupt, match="c image"):
        np.asarray(lazy("0" * 32))
    assert lazy("0" * 32)[0].shape == (3, 4)


def test_a_mask_is_given_as_truth_values():
    assert lazy(is_mask=True)[0].dtype == np.bool_


def test_it_cannot_be_had_without_reading():
    with pytest.raises(ValueError, match="without reading"):
        np.array(lazy(), copy=False)


def test_a_part_is_read_into_what_is_given():
    out, truth = np.zeros((2, 4), np.uint8), np.zeros((3, 4), np.bool_)
    assert lazy().read((1, slice(0, 2)), out) is out
    np.testing.assert_array_equal(out, DATA[1, :2])
    assert lazy(is_mask=True).read(0, truth, threads=2) is truth
    np.testing.assert_array_equal(truth.view(np.uint8), DATA[0])
