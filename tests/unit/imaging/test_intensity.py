from fractions import Fraction

import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.imaging.intensity import (
    clip_counts,
    invert_monochrome1,
    to_float,
    to_hounsfield,
    valid_of_padding,
)


def test_integer_slopes_are_exact_for_every_stored_value() -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(16, 64, 64)
    found, saturated = to_hounsfield(stored, 1, -1024)
    exact = stored.astype(int) - 1024
    assert np.array_equal(found, np.clip(exact, -32768, 32767))
    assert saturated == int((exact > 32767).sum()) == 31744
    assert found.dtype == np.int16


def test_each_slice_has_its_own_slope_and_is_rounded_once() -> None:
    random = np.random.default_rng(0)
    stored = random.integers(-2000, 2000, (30, 9, 11)).astype(np.int16)
    slopes, intercepts = random.uniform(0.1, 9, 30), random.uniform(-1500, 1500, 30)
    found, saturated = to_hounsfield(stored, slopes, intercepts)
    assert saturated == 0
    for k in range(30):
        slope, intercept = Fraction(float(slopes[k])), Fraction(float(intercepts[k]))
        for value, hu in zip(stored[k].ravel()[:20].tolist(), found[k].ravel()[:20].tolist(), strict=True):
            assert abs(slope * value + intercept - hu) <= Fraction(1, 2) + Fraction(1, 10**9)


def test_halves_go_to_the_even_number() -> None:
    stored = np.array([[[1, 3, 5, -1]]], dtype=np.int16)
    assert to_hounsfield(stored, 0.5, 0)[0].ravel().tolist() == [0, 2, 2, 0]


def test_padding_is_masked_before_it_is_rescaled() -> None:
    stored = np.array([[[-2000, 0, 100]]], dtype=np.int16)
    valid = valid_of_padding(stored, -2000)
    found, saturated = to_hounsfield(stored, 1, -1024, valid=valid)
    assert found.ravel().tolist() == [-1024, -1024, -924]
    assert valid is not None
    assert valid.ravel().tolist() == [False, True, True]
    assert saturated == 0


def test_padding_that_would_saturate_is_not_counted() -> None:
    stored = np.array([[[30000, 0]]], dtype=np.int16)
    found, saturated = to_hounsfield(stored, 10, 0, valid=valid_of_padding(stored, 30000))
    assert found.ravel().tolist() == [-1024, 0]
    assert saturated == 0


@pytest.mark.parametrize("limits", [(-2000, -1500), (-1500, -2000)])
def test_a_padding_range_includes_both_ends(limits: tuple[int, int]) -> None:
    stored = np.array([[[-2001, -2000, -1700, -1500, -1499]]], dtype=np.int16)
    valid = valid_of_padding(stored, *limits)
    assert valid is not None
    assert valid.ravel().tolist() == [True, False, False, False, True]


def test_no_padding_no_mask() -> None:
    assert valid_of_padding(np.zeros((1, 2, 2), np.int16), -2000) is None


@pytest.mark.parametrize(
    ("slope", "intercept"), [(0, 0), (np.nan, 0), (np.inf, 0), (1, np.nan), ([1.0, 0.0], 0)]
)
def test_a_rescale_that_is_none_is_refused(slope: object, intercept: float) -> None:
    stored = np.zeros((2, 2, 2), np.int16)
    for convert in (to_hounsfield, to_float):
        with pytest.raises(FormatError) as caught:
            convert(stored, slope, intercept)
        assert caught.value.reason == "read/values"


def test_floats_are_the_nearest_float32() -> None:
    random = np.random.default_rng(1)
    stored = random.integers(0, 65535, (4, 8, 8)).astype(np.uint16)
    slopes = random.uniform(1e-4, 1e-3, 4)
    exact = stored.astype(np.float64) * slopes[:, None, None]
    found = to_float(stored, slopes, 0.0)
    assert found.dtype == np.float32
    assert np.array_equal(found, exact.astype(np.float32))
    padded = to_float(stored, slopes, 0.0, valid=stored > 30000, background=-1.0)
    assert np.array_equal(padded == -1.0, stored <= 30000)


def test_clipping_counts_valid_voxels_at_both_ends() -> None:
    array = np.array([[[-3000, -1024, 0, 3071, 3072, 9000, -9000]]], dtype=np.int16)
    valid = np.array([[[True, True, True, True, True, True, False]]])
    assert clip_counts(array, -1024, 3071, valid=valid) == (1, 2)
    assert array.ravel().tolist() == [-1024, -1024, 0, 3071, 3071, 3071, -1024]
    assert clip_counts(array, -1024, 3071) == (0, 0)


def test_monochrome1_is_inverted_in_its_stored_range() -> None:
    stored = np.array([[[0, 100, 4095]]], dtype=np.uint16)
    inverted = invert_monochrome1(stored, 12)
    assert inverted.ravel().tolist() == [4095, 3995, 0]
    assert inverted.dtype == np.uint16
    assert np.array_equal(invert_monochrome1(inverted, 12), stored)
    signed = np.array([[[-2048, -1, 0, 2047]]], dtype=np.int16)
    assert invert_monochrome1(signed, 12, is_signed=True).ravel().tolist() == [2047, 0, -1, -2048]
    full = np.array([[[0, 65535]]], dtype=np.uint16)
    assert invert_monochrome1(full, 16).ravel().tolist() == [65535, 0]


def test_values_beyond_the_stored_bits_are_refused() -> None:
    with pytest.raises(FormatError, match="more bits"):
        invert_monochrome1(np.array([[[4096]]], dtype=np.uint16), 12)


def test_a_valid_mask_of_another_shape_is_a_bug() -> None:
    with pytest.raises(ValueError, match="valid"):
        to_hounsfield(np.zeros((1, 2, 2), np.int16), 1, 0, valid=np.ones((1, 1, 2), bool))
