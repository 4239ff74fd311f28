"""Borders are found where they were planted, and nowhere else."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.collimation import exposed_field

SHAPE = (450, 350)


def a_chest(random, noise=30.0):
    j, i = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    out = 2000 + 600 * np.sin(j / 65 + random.uniform(0, 6)) * np.cos(i / 45 + random.uniform(0, 6))
    out += 1500 * ndimage.gaussian_filter(random.normal(0, 1, SHAPE), 4)
    for side in (0.3, 0.7):
        out -= 900 * (((j - 225) / 157) ** 2 + ((i - side * 350) / 63) ** 2 < 1)
    return out + random.normal(0, noise, SHAPE)


def collimated(picture, box, degrees, level, random):
    """The picture within a rectangle that is turned about its centre."""
    top, bottom, left, right = box
    j, i = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    j, i, angle = j - (top + bottom) / 2, i - (left + right) / 2, np.deg2rad(degrees)
    down = np.cos(angle) * j + np.sin(angle) * i
    across = np.cos(angle) * i - np.sin(angle) * j
    is_inside = (abs(down) <= (bottom - top) / 2) & (abs(across) <= (right - left) / 2)
    return np.where(is_inside, picture, level + random.normal(0, random.choice([0, 5, 15]), SHAPE))


def stored(picture):
    return np.clip(np.rint(picture), 0, 4095).astype(np.uint16)


@pytest.mark.parametrize("seed", range(40))
def test_planted_borders_are_found_to_two_hundredths_of_the_side(seed):
    random = np.random.default_rng(seed)
    box = [
        int(random.uniform(*r) * s)
        for r, s in zip([(0.03, 0.25), (0.75, 0.97)] * 2, (450, 450, 350, 350), strict=True)
    ]
    for side, full in enumerate((0, 450, 0, 350)):
        if random.random() < 0.25:
            box[side] = full
    picture = stored(
        collimated(a_chest(random), box, random.uniform(-3, 3), random.choice([0, 100, 4095]), random)
    )
    found = exposed_field(picture)
    assert np.abs(np.subtract((*found.rows, *found.columns), box)).max() <= 0.02 * 450
    planted = np.zeros(SHAPE, bool)
    planted[box[0] : box[1], box[2] : box[3]] = True
    inside = found.mask((1, *SHAPE))[0]
    assert (inside & planted).sum() / planted.sum() > 0.96  # recall of the field
    assert (inside & planted).sum() / inside.sum() > 0.96  # precision
    assert found.share == pytest.approx(1 - inside.mean())


@pytest.mark.parametrize("seed", range(20))
def test_a_picture_without_borders_has_none(seed):
    found = exposed_field(stored(a_chest(np.random.default_rng(100 + seed))))
    assert (found.rows, found.columns, found.share) == ((0, 450), (0, 350), 0.0)


def test_air_beside_skin_is_no_collimator():
    random = np.random.default_rng(0)
    j, i = np.mgrid[:500, :400].astype(float)
    is_breast = ((j - 250) / 200) ** 2 + (i / 250) ** 2 < 1
    breast = np.where(is_breast, 2000 + 300 * np.sin(j / 20) * np.cos(i / 17), 0)
    assert exposed_field(stored(breast)).share == 0
    hand = ((j - 300) / 125) ** 2 + ((i - 200) / 90) ** 2 < 1
    for finger in range(125, 300, 40):
        hand |= (abs(i - finger) < 12) & (j < 300) & (j > 50 + abs(finger - 210) * 0.6)
    picture = np.where(hand, 1500 + 200 * np.sin(i / 10), 4000) + random.normal(0, 5, hand.shape)
    assert exposed_field(stored(picture)).share == 0


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_picture_has_no_border(value):
    assert exposed_field(np.full((90, 80), value, np.uint8)).share == 0


def test_large_and_tiny_pictures_are_looked_at_as_well():
    random = np.random.default_rng(3)
    picture = random.integers(1000, 3000, (2500, 2100)).astype(np.uint16)
    picture[:300] = 0
    found = exposed_field(picture)
    assert abs(found.rows[0] - 300) <= 3
    assert (found.rows[1], found.columns) == (2500, (0, 2100))
    assert exposed_field(picture[:2, :2]).share == 0
    assert exposed_field(picture[:1, :40]).share == 0
