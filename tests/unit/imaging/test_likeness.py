import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.descriptor import descriptor_of
from isocenter.imaging.likeness import NOTHING, layers_of, likeness
from isocenter.model.grid import Grid
from isocenter.testing.copies import LISTED


def person(seed, shape=(24, 60, 64)):
    """Something with structures of many sizes, and nothing in common with another seed."""
    noise = np.random.default_rng(seed).normal(size=shape)
    blur = [max(shape) / 21 if n > 1 else 0 for n in shape]
    values = (
        ndimage.gaussian_filter(noise, blur) * 9 + ndimage.gaussian_filter(noise, [b * 2 for b in blur]) * 30
    )
    return np.rint(values * 300).astype(np.int16), Grid(shape, np.diag([2.0, 2.0, 4.0, 1.0]))


def compared(one, other):
    return likeness(layers_of(descriptor_of(*one)), layers_of(descriptor_of(*other)))


@pytest.mark.parametrize("shape", [(24, 60, 64), (1, 200, 220)])
@pytest.mark.parametrize("kind", LISTED)
def test_copies_are_alike(kind, shape):
    found = compared(person(0, shape), LISTED[kind](*person(0, shape)))
    assert found.score > 0.85
    is_mirrored = kind.startswith("mirrored") and not (kind.endswith("k") and shape[0] == 1)
    assert found.is_mirrored == is_mirrored


@pytest.mark.parametrize("shape", [(24, 60, 64), (1, 200, 220)])
def test_strangers_are_not(shape):
    scores = [compared(person(a, shape), person(b, shape)).score for a in range(3) for b in range(3, 6)]
    assert max(scores) < 0.6


def test_what_a_crop_covers():
    one = person(0)
    for low, high, share in (((0, 0, 0.2), (1, 1, 1), 0.8), ((0.1, 0.1, 0.1), (0.9, 0.9, 0.9), 0.512)):
        cropped = LISTED["crop of 20 %, one end"].func(*one, low=low, high=high)
        assert compared(one, cropped).covered == pytest.approx(share, abs=0.06)
        assert compared(cropped, one).covered == pytest.approx(share, abs=0.06)


def test_it_does_not_matter_which_comes_first():
    one, other = person(0), LISTED["rotated by 3 degrees"](*person(0))
    assert compared(one, other).score == pytest.approx(compared(other, one).score, abs=0.05)


def test_nothing_is_like_a_blank_image_or_one_of_other_dimensions():
    one = person(0)
    blank = np.zeros_like(one[0]), one[1]
    assert compared(one, blank) is NOTHING
    assert compared(one, person(0, (1, 60, 64))) is NOTHING
