"""Histograms: the merged one of some parts is that of the whole, in any order; facts stay within the stated bound."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isocenter.imaging.histogram import MOST_BINS, Histogram, merge
from isocenter.imaging.histogram_bytes import pack, unpack
from isocenter.imaging.statistics import measure

FLOATS = (
    st.floats(-float(2**100), float(2**100), width=32)
    | st.floats(-100, 100, width=32)
    | st.sampled_from([0.0, -0.0, 1.0])
)
PARTS = st.one_of(
    st.lists(arrays.arrays(np.int16, st.integers(0, 40)), min_size=1, max_size=4),
    st.lists(arrays.arrays(np.float32, st.integers(0, 40), elements=FLOATS), min_size=1, max_size=4),
)


def of(array) -> Histogram:
    return measure(array, foreground="all").inside


def content(histogram: Histogram) -> tuple:
    return histogram.first, histogram.exponent, histogram.is_exact, histogram.counts.tolist()


@settings(max_examples=150, deadline=None)
@given(PARTS, st.randoms(use_true_random=False))
def test_the_parts_merged_are_the_whole_in_any_order(parts, random):
    whole = of(np.concatenate(parts))
    histograms = [of(p) for p in parts]
    assert content(merge(histograms)) == content(whole)
    random.shuffle(histograms)
    one_by_one = histograms[0]
    for histogram in histograms[1:]:
        one_by_one = merge([histogram, one_by_one])
    assert content(one_by_one) == content(whole)
    assert content(unpack(pack(whole))) == content(whole)


@settings(max_examples=150, deadline=None)
@given(arrays.arrays(np.float32, st.integers(1, 60), elements=FLOATS), st.floats(0, 100))
def test_percentiles_are_off_by_less_than_a_step(array, percent):
    found = of(array)
    exact = np.percentile(array.astype(np.float64), percent)
    assert found.counts.size <= MOST_BINS
    assert abs(found.percentile(percent) - exact) <= found.step * (1 + 1e-9) + abs(exact) * 1e-12


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(np.int16, st.integers(1, 60)), st.floats(0, 100))
def test_percentiles_of_whole_numbers_are_exact(array, percent):
    exact = np.percentile(array.astype(np.float64), percent)
    assert abs(of(array).percentile(percent) - exact) <= 1e-9
