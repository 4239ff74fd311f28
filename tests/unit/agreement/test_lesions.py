import numpy as np
import pytest

from isocenter.agreement.lesions import lesion_agreement
from isocenter.imaging.components import components_of


def row(text: str) -> np.ndarray:
    return np.array([[[c == "x" for c in text]]])


def of(first: str, second: str):
    return lesion_agreement(components_of(row(first)), components_of(row(second)))


def test_lesions_by_hand() -> None:
    found = of("xx..xxx...x", ".xx.xx.....")
    assert found.matching.counts == (3, 1 + 1)
    assert found.matching.pairs == ((0, 0), (1, 1))
    assert found.matching.scores == pytest.approx((0.5, 0.8))
    assert found.lowest_dice == 0.0


def test_one_large_against_two_small_is_matched_once() -> None:
    found = of("xxxxxxx", "xxx.xx.")
    assert found.matching.pairs == ((0, 0),)
    assert found.matching.scores == (0.6,)
    assert found.lowest_dice == 0.0


def test_a_good_pair_is_worth_more_than_two_slivers() -> None:
    found = of("xxxxx.x.", "xxxx.xxx")  # the first two share 4 of 5 and 4 voxels, the last two 1 of 1 and 3
    assert found.matching.pairs == ((0, 0), (1, 1))
    sliver = of("x.xxxxxxx", "xxx......")
    assert len(sliver.matching.pairs) == 1
    assert sliver.matching.scores == (0.5,)


def test_nothing_marked() -> None:
    assert of("...", "...").lowest_dice is None
    assert of("...", ".x.").lowest_dice == 0.0
    assert of("...", "...").matching.f1 is None


def test_masks_of_two_shapes_are_a_bug() -> None:
    with pytest.raises(ValueError, match="masks are"):
        of("..", "...")


@pytest.mark.parametrize("seed", range(5))
def test_overlaps_are_those_of_a_joint_histogram(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.random((4, 12, 11)) < 0.12, random.random((4, 12, 11)) < 0.12
    found = lesion_agreement(components_of(a), components_of(b)).matching
    from scipy import ndimage
    from scipy.optimize import linear_sum_assignment

    one, n = ndimage.label(a, np.ones((3, 3, 3)))
    other, m = ndimage.label(b, np.ones((3, 3, 3)))
    dice = np.array(
        [
            [
                2 * ((one == x) & (other == y)).sum() / ((one == x).sum() + (other == y).sum())
                for y in range(1, m + 1)
            ]
            for x in range(1, n + 1)
        ]
    )
    chosen = linear_sum_assignment(dice, maximize=True)
    assert found.counts == (n, m)
    assert sum(found.scores) == pytest.approx(dice[chosen].sum())
