import numpy as np
import pytest
from scipy import stats

from isocenter.augment import normals

# Known answers of philox4x32-10 from the Random123 distribution (tests/kat_vectors).
KNOWN = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_words_are_those_of_the_published_generator(counter, key, words):
    assert tuple(int(w) for w in normals.philox(*map(np.uint64, (*counter, *key)))) == words


def drawn(key, lane=0, rows=256, columns=1024):
    out = np.empty((rows, columns), np.float32)
    words = np.empty((4, columns // 4), np.uint32)
    for row in range(rows):
        normals.fill_normals(row, lane, np.uint64(key), words, out[row])
    return out


def test_numbers_are_normal_also_in_their_tails():
    values = drawn(7).reshape(-1).astype(np.float64)
    assert stats.kstest(values, "norm").pvalue > 1e-3
    for order, moment in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
        spread = np.sqrt((stats.norm.moment(2 * order) - moment**2) / values.size)
        assert abs((values**order).mean() - moment) < 5 * spread
    for limit in (3.0, 4.0):
        expected = 2 * stats.norm.sf(limit) * values.size
        assert abs((abs(values) > limit).sum() - expected) < 5 * np.sqrt(expected)
    assert 4.4 < abs(values).max() < 5.9


def test_neighbours_rows_lanes_and_keys_are_independent():
    values = drawn(7)
    bound = 5 / np.sqrt(values.size)
    for other in (drawn(8), drawn(7, lane=1), drawn(7 << 32)):
        assert abs(np.corrcoef(values.reshape(-1), other.reshape(-1))[0, 1]) < bound
        assert abs(np.corrcoef(values.reshape(-1) ** 2, other.reshape(-1) ** 2)[0, 1]) < bound
    for lag in (1, 2, 255, 256, 257, 512, 1024, 4096):
        flat = values.reshape(-1)
        assert abs(np.corrcoef(flat[:-lag], flat[lag:])[0, 1]) < bound
        assert abs(np.corrcoef(abs(flat[:-lag]), abs(flat[lag:]))[0, 1]) < bound
    spectrum = abs(np.fft.rfft2(values))[1:, 1:] ** 2 / values.size  # white: exponential of mean 1
    assert stats.kstest(spectrum[: len(spectrum) // 2].reshape(-1), "expon").pvalue > 1e-3


def test_the_same_key_and_place_give_the_same_number_whatever_is_drawn_before():
    words, one = np.empty((4, 8), np.uint32), np.empty(32, np.float32)
    normals.fill_normals(3, 2, np.uint64(9), words, one)
    first = one.copy()
    normals.fill_normals(4, 2, np.uint64(9), words, one)
    assert not np.array_equal(first, one)
    normals.fill_normals(3, 2, np.uint64(9), words, one)
    np.testing.assert_array_equal(first, one)


def test_each_number_is_that_of_box_and_muller_in_float64():
    words, out = np.empty((4, 64), np.uint32), np.empty(256, np.float32)
    normals.fill_normals(11, 0, np.uint64(5), words, out)
    first, second = words[[0, 2]].astype(np.float64), words[[1, 3]]
    radius = np.sqrt(-2 * np.log(np.floor(first / 256) * 2**-24 + 2**-25))
    angle = (second & 0x3FFFFFFF) * np.pi * 2**-31
    cosine = np.cos(angle) * np.where(second & 0x80000000, 1, -1)
    sine = np.sin(angle) * np.where(second & 0x40000000, 1, -1)
    expected = np.stack([radius * cosine, radius * sine], axis=1).reshape(-1)
    np.testing.assert_allclose(out, expected, atol=3e-6)
