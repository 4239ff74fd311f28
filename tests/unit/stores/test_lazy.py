import numpy as np
import pytest

from isocenter.base.errors import StoreCorrupt
from isocenter.stores.lazy import LazyArray
from isocenter.stores.shard import ArrayFacts, digest_of_array

DATA = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def lazy(digest="", *, is_mask=False):
    return LazyArray(
        DATA.__getitem__, ArrayFacts(DATA.shape, DATA.dtype), name="c image", is_mask=is_mask, digest=digest
    )


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
