import numpy as np
import pytest
from scipy import stats

from isocenter.augment.policy import Policy
from isocenter.augment.transforms import noise
from isocenter.base import seeds
from tests.contracts.test_transforms import make_patch


def test_it_is_gaussian_of_the_sigma_that_was_drawn_in_units_of_the_range():
    patch = make_patch((20, 40, 40))
    added = noise.apply(patch, {"sigma": 0.01, "key": 7}).image - patch.image
    for channel, span in enumerate(patch.span):
        inside = added[channel][patch.valid] / (0.01 * span)
        assert inside.std() == pytest.approx(1, abs=0.02)
        assert stats.kstest(inside, "norm").pvalue > 1e-3


def test_padding_stays_clean():
    patch = make_patch()
    after = noise.apply(patch, {"sigma": 0.01, "key": 7})
    np.testing.assert_array_equal(after.image[:, ~patch.valid], patch.image[:, ~patch.valid])


def test_another_key_is_another_noise():
    patch = make_patch()
    one, other = (noise.apply(patch, {"sigma": 0.01, "key": k}).image for k in (1, 2))
    assert (one != other)[:, patch.valid].mean() > 0.99


def test_sigmas_stay_within_the_policy():
    drawn = [noise.draw(Policy(noise_sigma=0.01), seeds.stream(n, "x")) for n in range(300)]
    assert min(d["sigma"] for d in drawn) >= 0
    assert 0.0098 < max(d["sigma"] for d in drawn) <= 0.01
    assert len({d["key"] for d in drawn}) == 300
