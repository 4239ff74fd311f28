import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.correlation import correlations, unturned_correlations


def noise(shape, seed):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1).astype(np.float32)


def expected(first, second, matrix, offset):
    """numpy's correlation of what scipy resamples, where both are."""
    middle = (np.array(first.shape) - 1) / 2
    start = offset - matrix @ middle
    seen = ndimage.affine_transform(
        second.astype(np.float64), matrix, start, first.shape, order=1, mode="nearest"
    )
    places = np.einsum("ab,bkji->akji", matrix, np.indices(first.shape)) + start[:, None, None, None]
    highest = np.array(second.shape)[:, None, None, None] - 0.499
    is_in = ((places >= -0.501) & (places <= highest)).all(axis=0)
    return np.corrcoef(first[is_in], seen[is_in])[0, 1]


@pytest.mark.parametrize("shapes", [((8, 7, 8), (8, 8, 6)), ((1, 20, 22), (1, 18, 25))])
def test_it_is_that_of_numpy_and_scipy(shapes):
    first, second = noise(shapes[0], 0), noise(shapes[1], 1)
    draw = np.random.default_rng(2)
    middle = (np.array(shapes[1]) - 1) / 2
    turn = np.array([[1, 0, 0], [0, 0.99, -0.14], [0, 0.14, 0.99]])
    matrices = np.stack([turn * s for s in (1.0, 0.8)])
    offsets = middle + draw.uniform(-1, 1, (2, 3)) * (np.array(shapes[1]) > 1)
    found = correlations(first, second, matrices, offsets)
    assert found == pytest.approx([expected(first, second, *p) for p in zip(matrices, offsets, strict=True)])


@pytest.mark.parametrize("shapes", [((8, 7, 8), (8, 8, 6)), ((1, 20, 22), (1, 18, 25))])
def test_overlays_that_turn_nothing_are_those_of_all_others(shapes):
    first, second = noise(shapes[0], 0), noise(shapes[1], 1)
    draw = np.random.default_rng(3)
    scales = draw.choice([-1.2, -1.0, -0.7, 0.7, 1.0, 1.3], (40, 3))
    offsets = (np.array(shapes[1]) - 1) / 2 + draw.uniform(-2, 2, (40, 3)) * (np.array(shapes[1]) > 1)
    matrices = np.stack([np.diag(s) for s in scales])
    found = unturned_correlations(first, second, scales, offsets)
    assert found == pytest.approx(correlations(first, second, matrices, offsets), abs=1e-6)
    assert np.ptp(found) > 0.1


def test_nothing_is_alike_where_hardly_anything_overlaps_or_nothing_is_seen():
    first, far = noise((8, 8, 8), 0), np.array([[90.0, 3.5, 3.5]])
    assert unturned_correlations(first, first, np.ones((1, 3)), far)[0] == 0
    assert correlations(first, first, np.eye(3)[None], far)[0] == 0
    flat = np.ones((8, 8, 8), np.float32)
    assert correlations(first, flat, np.eye(3)[None], np.full((1, 3), 3.5))[0] == 0
