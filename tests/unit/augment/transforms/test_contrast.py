import numpy as np

from isocenter.augment.policy import Policy
from isocenter.augment.transforms import contrast
from isocenter.base import seeds
from tests.contracts.test_transforms import apply, make_patch


def test_the_stated_centre_stays_and_distances_from_it_change_by_the_factor():
    patch = make_patch()
    after = apply(patch, {"contrast": {"factor": 1.1}})
    np.testing.assert_allclose(after.image, 0.5 + 1.1 * (patch.image - 0.5), atol=1e-6)
    np.testing.assert_allclose(after.background, (-0.05, 0.5), atol=1e-6)


def test_factors_stay_within_the_policy_and_use_all_of_it():
    factors = [contrast.draw(Policy(contrast=0.15), seeds.stream(n, "x"))["factor"] for n in range(500)]
    assert 0.85 <= min(factors) < 0.86
    assert 1.14 < max(factors) <= 1.15
