import numpy as np
import pytest

from isocenter.imaging.histogram import NOTHING, Histogram
from isocenter.imaging.histogram_bytes import pack, unpack
from isocenter.imaging.statistics import measure


def same(a: Histogram, b: Histogram) -> bool:
    return (a.first, a.exponent, a.is_exact, a.counts.tolist()) == (
        b.first,
        b.exponent,
        b.is_exact,
        b.counts.tolist(),
    )


@pytest.mark.parametrize(
    "array",
    [
        np.array([-32_768, 32_767, 32_767], np.int16),
        np.array([0, 65_535], np.uint16),
        np.array([-1.5, 3e8, 3e8], np.float32),
        np.arange(-300, 300, dtype=np.int16),
        np.zeros(9, np.float32),
    ],
)
def test_what_is_packed_comes_back(array):
    found = measure(array, foreground="all").inside
    assert same(unpack(pack(found)), found)


def test_nothing_and_large_counts_come_back():
    assert unpack(pack(NOTHING)) is NOTHING
    large = Histogram(
        first=-70_000, counts=np.array([1 << 61, 0, 0, 127, 128], np.int64), exponent=-900, is_exact=False
    )
    assert same(unpack(pack(large)), large)


def test_the_bytes_are_those_that_are_promised():
    """Kind, exponent 0, first -2 (3 with its sign), 300 (0xAC 0x02), two times nothing, 1."""
    found = Histogram(first=-2, counts=np.array([300, 0, 0, 1], np.int64))
    assert pack(found) == bytes([1, 0, 3, 0xAC, 0x02, 0, 2, 1])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1",
        b"\1\0\0",
        b"\7\0\0\1",
        b"\1\2\0\1",  # whole numbers of another step
        b"\1\0\0\x80",  # a number that never ends
        b"\1\0\0\0\xff\xff\xff\xff\x0f",  # a run as long as memory
        b"\1\0\0" + b"\xff" * 12,
        b"\2\xff\xff\x03\0\1",  # a step beyond float64
        b"\1\0\0" + b"\1" * ((1 << 17) + 1),
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="no histogram"):
        unpack(data)
