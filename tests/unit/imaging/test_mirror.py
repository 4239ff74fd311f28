"""Whether a mask would fit its image better mirrored."""

import numpy as np
import pytest

from isocenter.imaging.mirror import RIVALS, rivals_of
from isocenter.model.grid import Grid

GRID = Grid((20, 60, 64), np.diag([-2.0, -2.0, 3.0, 1.0]))


def a_body(seed=0, noise=20.0):
    """Three organs of different brightness on one side of a noisy image, and their labels."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(GRID.shape)
    labels = np.zeros(GRID.shape, np.uint8)
    for value, (c_k, c_j, c_i, size) in enumerate([(7, 20, 18, 9), (12, 42, 22, 7), (8, 30, 44, 6)], start=1):
        labels[(2 * (k - c_k)) ** 2 + (j - c_j) ** 2 + (1.3 * (i - c_i)) ** 2 < size**2] = value
    image = np.array([0, 60, -40, 90])[labels] + rng.normal(0, noise, GRID.shape)
    return image.astype(np.float32), labels


def test_a_mask_that_lies_right_has_no_rival():
    image, labels = a_body()
    rivals = rivals_of(image, labels, GRID)
    assert {r.axes for r in rivals} == set(RIVALS)
    assert all(r.evidence < -4 and r.confidence < 1e-4 for r in rivals)
    assert [r.evidence for r in rivals] == sorted((r.evidence for r in rivals), reverse=True)


@pytest.mark.parametrize("axes", RIVALS)
def test_what_puts_a_mirrored_mask_right_is_named(axes):
    image, labels = a_body()
    best = rivals_of(image, np.flip(labels, RIVALS[axes]), GRID)[0]
    assert best.axes == axes
    assert best.evidence > 6
    assert best.confidence > 0.9999


def test_noise_tells_nothing():
    """Of masks on noise alone, evidence is spread as a normal deviate: it claims no more than it knows."""
    labels = a_body()[1]
    found = [
        rivals_of(np.random.default_rng(seed).normal(0, 1, GRID.shape), labels, GRID) for seed in range(60)
    ]
    evidence = np.array([r.evidence for rivals in found for r in rivals])
    assert abs(evidence.mean()) < 0.3
    assert 0.7 < evidence.std() < 1.3
    assert np.abs(evidence).max() < 4


def test_neither_the_unit_nor_the_sign_of_values_counts():
    image, labels = a_body()
    first = rivals_of(image, labels, GRID)
    assert [r.evidence for r in rivals_of(-0.5 * image + 7, labels, GRID)] == pytest.approx(
        [r.evidence for r in first], abs=0.05
    )


def test_a_symmetrical_mask_has_no_side():
    image, labels = a_body()
    both = np.maximum(labels, labels[:, :, ::-1])
    (rival,) = (r for r in rivals_of(np.maximum(image, image[:, :, ::-1]), both, GRID) if r.axes == "i")
    assert abs(rival.evidence) < 2


@pytest.mark.parametrize("mask", [np.zeros(GRID.shape, bool), np.ones(GRID.shape, bool)])
def test_a_mask_without_a_border_tells_nothing(mask):
    assert rivals_of(a_body()[0], mask, GRID) == ()


def test_a_few_voxels_tell_nothing():
    mask = np.zeros(GRID.shape, bool)
    mask[8:10, 20:22, 20:22] = True
    assert rivals_of(a_body()[0], mask, GRID) == ()


def test_a_mask_at_the_end_of_its_image_is_compared_within_it():
    image, labels = a_body()
    edge = np.zeros_like(labels)
    edge[:, :30, :20] = 1
    assert len(rivals_of(image, edge, GRID)) == len(RIVALS)


def test_a_picture_of_one_plane_is_compared_in_the_plane():
    image, labels = a_body()
    grid = Grid((1, *GRID.shape[1:]), GRID.affine)
    flat = labels[8:9] != 0
    best = rivals_of(image[8:9], flat[:, :, ::-1], grid)[0]
    assert best.axes == "i"
