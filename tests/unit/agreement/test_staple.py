import itertools

import numpy as np
import pytest

from isocenter.agreement.staple import MARGIN, MOST_RATERS, estimate, expectation_maximisation
from isocenter.base.errors import ConfigError

SHAPE = (9, 16, 18)


def balls(seed: int, count: int = 3) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    k, j, i = np.indices(SHAPE)
    out = {}
    for n in range(count):
        centre, radius = np.array([4, 8, 9]) + random.uniform(-1.5, 1.5, 3), random.uniform(3, 6)
        out[f"rater-{n}"] = (2 * k - 2 * centre[0]) ** 2 + (j - centre[1]) ** 2 + (
            i - centre[2]
        ) ** 2 < radius**2
    return out


def test_padding_changes_no_voxel() -> None:
    masks = balls(1)
    expected = estimate(masks, tie_is_foreground=False)
    assert expected.mask.any()
    for pad in (1, MARGIN, 20, 60):
        padded = {rater: np.pad(mask, pad) for rater, mask in masks.items()}
        found = estimate(padded, tie_is_foreground=False)
        assert np.array_equal(found.mask, np.pad(expected.mask, pad))
        assert found.performances == expected.performances


def test_two_hundred_voxels_of_padding_in_the_plane() -> None:
    masks = balls(2)
    around = ((0, 0), (200, 200), (200, 200))
    padded = {rater: np.pad(mask, around) for rater, mask in masks.items()}
    expected = estimate(masks, tie_is_foreground=False).mask
    assert np.array_equal(estimate(padded, tie_is_foreground=False).mask, np.pad(expected, around))


def test_nobodys_order_matters() -> None:
    masks = balls(3, 4)
    expected = estimate(masks, tie_is_foreground=True)
    for names in itertools.permutations(masks):
        found = estimate({n: masks[n] for n in names}, tie_is_foreground=True)
        assert np.array_equal(found.mask, expected.mask)
        assert sorted(found.performances, key=lambda p: p.rater) == list(expected.performances)


def test_a_careless_rater_is_found_out() -> None:
    truth = balls(4, 1)["rater-0"]
    careless = truth ^ (np.random.default_rng(0).random(SHAPE) < 0.2)
    found = estimate({"a": truth, "b": truth.copy(), "c": careless}, tie_is_foreground=False)
    assert np.array_equal(found.mask, truth)
    by_name = {p.rater: p for p in found.performances}
    assert by_name["a"].sensitivity == pytest.approx(1)
    assert by_name["a"].specificity == pytest.approx(1)
    marked = careless & truth
    assert by_name["c"].sensitivity == pytest.approx(marked.sum() / truth.sum(), abs=1e-6)
    assert 0.9 < by_name["c"].specificity < 1


def test_more_than_sixteen_raters() -> None:
    masks = balls(5, 20)
    found = estimate(masks, tie_is_foreground=False).mask
    votes = np.sum(list(masks.values()), axis=0)
    assert found[votes == 20].all()
    assert not found[votes == 0].any()
    few = estimate(dict(itertools.islice(masks.items(), 9)), tie_is_foreground=False).mask
    assert few.any()


def test_nothing_marked() -> None:
    found = estimate({"a": np.zeros(SHAPE, bool), "b": np.zeros(SHAPE, bool)}, tie_is_foreground=True)
    assert not found.mask.any()
    assert found.performances == ()


def test_a_plane_has_no_margin_across_it() -> None:
    masks = {rater: mask[4:5] for rater, mask in balls(6).items()}
    found = estimate(masks, tie_is_foreground=False)
    assert found.mask.any()
    padded = {rater: np.pad(mask, ((0, 0), (9, 9), (9, 9))) for rater, mask in masks.items()}
    again = estimate(padded, tie_is_foreground=False)
    assert np.array_equal(again.mask, np.pad(found.mask, ((0, 0), (9, 9), (9, 9))))


def test_too_many_raters() -> None:
    nothing = np.zeros((1, 1, 1), bool)
    with pytest.raises(ConfigError, match="at most"):
        estimate({str(n): nothing for n in range(MOST_RATERS + 1)}, tie_is_foreground=False)


def test_estimates_recover_what_made_the_votes() -> None:
    random = np.random.default_rng(0)
    truth = random.random(200_000) < 0.2
    sensitivity, specificity = np.array([0.9, 0.8, 0.7, 0.95]), np.array([0.95, 0.9, 0.99, 0.85])
    chance = random.random((truth.size, 4))
    votes = np.where(truth[:, None], chance < sensitivity, chance > specificity)
    patterns, counts = np.unique(votes, axis=0, return_counts=True)
    found = expectation_maximisation(patterns, counts.astype(float), 0)
    assert found.sensitivity == pytest.approx(sensitivity, abs=0.02)
    assert found.specificity == pytest.approx(specificity, abs=0.02)
