import imagecodecs
import numpy as np
import pytest

from isocenter.stores.fletcher import fletcher32


@pytest.mark.parametrize("kind", ["random", "zeros", "ones", "mixed"])
def test_the_sum_is_that_of_hdf5(kind):
    rng = np.random.default_rng(0)
    for count in [*range(1, 300), 16383, 16384, 16385, 65535, 131070, 1_000_003]:
        data = {
            "random": rng.integers(0, 256, count).astype(np.uint8),
            "zeros": np.zeros(count, np.uint8),
            "ones": np.full(count, 255, np.uint8),
            "mixed": np.where(rng.random(count) < 0.9, 0, 255).astype(np.uint8),
        }[kind]
        assert fletcher32(data.ctypes.data, count) == imagecodecs.h5checksum_fletcher32(data.tobytes())
