import numpy as np
import pytest

from isocenter.imaging.spectrum import PARTS, SHIFT, spectrum, strengths


def a_picture(shape=(14, 18, 16), seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)


def test_strengths_are_those_of_the_fast_transform():
    """numpy's transform as the oracle, mirrored waves averaged by hand."""
    field = np.random.default_rng(2).normal(size=(6, 8, 10))
    whole = np.abs(np.fft.fftn(field))
    waves = np.array([(0, 1, 2), (1, 2, 3), (2, 0, 0)])
    found = strengths(field, waves / np.array(field.shape))
    for (k, j, i), strength in zip(waves, found, strict=True):
        total = sum(whole[a * k, b * j, i] for a in (1, -1) for b in (1, -1))
        assert strength == pytest.approx(total)


def test_is_of_unit_length():
    assert np.linalg.norm(spectrum(a_picture(), (14.0, 18.0, 16.0))) == pytest.approx(1, abs=1e-6)
    assert spectrum(a_picture(), (14.0, 18.0, 16.0)).shape == (sum(PARTS),)


@pytest.mark.parametrize("axes", [0, 1, 2, (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("shape", [(14, 18, 16), (1, 40, 50)])
def test_mirrors_change_nothing(axes, shape):
    picture = a_picture(shape)
    extent = tuple(float(n) for n in shape)
    assert np.allclose(spectrum(np.flip(picture, axes), extent), spectrum(picture, extent), atol=1e-6)


def test_pictures_of_nothing_are_zero():
    assert not spectrum(np.full((4, 5, 6), 7, np.uint8), (4.0, 5.0, 6.0)).any()


def test_another_scale_is_a_shift():
    """Of the waves to the millimetre; those to the field of view stay."""
    picture = a_picture((1, 60, 60))
    one, other = (spectrum(picture, (1.0, 60.0 * s, 60.0 * s)) for s in (1.0, 2 ** (1 / 3)))
    assert np.allclose(one[PARTS[0] :], other[PARTS[0] :], atol=1e-6)
    shifted = np.roll(other[: PARTS[0]], SHIFT)
    assert float(one[: PARTS[0]] @ shifted) > 0.49  # half of the unit length is in this part
    assert float(one[: PARTS[0]] @ other[: PARTS[0]]) < 0.3


def test_strangers_have_little_in_common():
    extent = (14.0, 18.0, 16.0)
    assert abs(float(spectrum(a_picture(seed=1), extent) @ spectrum(a_picture(seed=2), extent))) < 0.3
