from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from isocenter.augment.policy import Policy
from isocenter.augment.transforms import noise
from isocenter.base import seeds
from tests.contracts.test_transforms import apply, make_patch


def test_it_is_gaussian_of_the_sigma_that_was_drawn_in_units_of_the_range():
    patch = make_patch((20, 40, 40))
    added = apply(patch, {"noise": {"sigma": 0.01, "key": 7}}).image - patch.image
    for channel, span in enumerate(patch.span):
        inside = added[channel][patch.valid] / (0.01 * span)
        assert inside.std() == pytest.approx(1, abs=0.02)
        assert stats.kstest(inside, "norm").pvalue > 1e-3


def test_padding_stays_clean():
    patch = make_patch()
    after = apply(patch, {"noise": {"sigma": 0.01, "key": 7}})
    np.testing.assert_array_equal(after.image[:, ~patch.valid], patch.image[:, ~patch.valid])


def test_another_key_is_another_noise():
    patch = make_patch()
    one, other = (apply(patch, {"noise": {"sigma": 0.01, "key": k}}).image for k in (1, 2))
    assert (one != other)[:, patch.valid].mean() > 0.99


def test_sigmas_stay_within_the_policy():
    drawn = [noise.draw(Policy(noise_sigma=0.01), seeds.stream(n, "x")) for n in range(300)]
    assert min(d["sigma"] for d in drawn) >= 0
    assert 0.0098 < max(d["sigma"] for d in drawn) <= 0.01
    assert len({d["key"] for d in drawn}) == 300


def magnitude(value, n=400_000):
    """A patch of one value on a scale where no signal is at 0.2."""
    patch = make_patch((10, 200, n // 2000), channels=1)
    image = np.full_like(patch.image, 0.2 + value)
    return replace(patch, image=image, valid=np.ones(patch.shape, bool), no_signal=(0.2,))


@pytest.mark.parametrize("value", [0.0, 0.005, 0.02, 0.3])
def test_in_magnitudes_it_is_rician(value):
    out = apply(magnitude(value), {"noise": {"sigma": 0.01, "law": "auto", "key": 7}}).image
    assert (
        stats.kstest(out.reshape(-1).astype(float) - 0.2, stats.rice(value / 0.01, scale=0.01).cdf).pvalue
        > 1e-3
    )
    assert out.min() >= 0.2 - 1e-6


def test_contrast_moves_no_signal_with_the_image():
    chain = {"contrast": {"factor": 1.1}, "noise": {"sigma": 0.01, "law": "auto", "key": 7}}
    out = apply(magnitude(0.0), chain)
    assert out.no_signal == pytest.approx((0.5 + 1.1 * (0.2 - 0.5),))
    assert out.image.min() >= out.no_signal[0] - 1e-6
    assert (out.image - out.no_signal[0]).mean() == pytest.approx(0.01 * np.sqrt(np.pi / 2), rel=0.01)


def test_maps_with_signs_get_gaussian_noise_where_it_is_asked_for():
    out = apply(magnitude(0.0), {"noise": {"sigma": 0.01, "law": "gaussian", "key": 7}}).image
    assert stats.kstest((out.reshape(-1).astype(float) - 0.2) / 0.01, "norm").pvalue > 1e-3
    assert (
        noise.draw(Policy(noise_sigma=0.01, noise_law="gaussian"), seeds.stream(1, "x"))["law"] == "gaussian"
    )
