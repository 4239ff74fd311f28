"""Connected pieces against scipy."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.components import components_of


@pytest.mark.parametrize("seed", range(60))
def test_pieces_equal_scipys(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 15, 3))
    labels = np.where(random.random(shape) < random.random(), random.integers(1, 4, shape), 0)
    labels = labels.astype(random.choice([np.uint8, np.uint16]))
    found = components_of(labels)
    ours = np.zeros(labels.size, int)
    for n in range(shape[0] * shape[1]):
        for first, stop, piece in found.runs[found.rows[n] : found.rows[n + 1]]:
            ours[n * shape[2] + first : n * shape[2] + stop] = piece + 1
    ours = ours.reshape(shape)
    assert np.array_equal(ours > 0, labels > 0)
    assert np.array_equal(np.bincount(ours.ravel(), minlength=len(found) + 1)[1:], found.voxels)
    for label in range(1, 4):
        theirs, count = ndimage.label(labels == label, np.ones((3, 3, 3)))
        assert found.count(label) == count
        pairs = np.unique(np.stack([theirs[labels == label], ours[labels == label]]), axis=1)
        assert pairs.shape[1] == count
        assert (found.labels[pairs[1] - 1] == label).all()
