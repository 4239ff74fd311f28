import numpy as np
import pytest

from isocenter.agreement.kappa import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
from isocenter.base.errors import ConfigError

NAN = np.nan


def test_by_hand() -> None:
    # agree on 3 of 4, by chance on 1/2 * 3/4 + 1/2 * 1/4 = 1/2
    ratings = np.array([[0, 0], [0, 0], [1, 1], [1, 0]], dtype=float)
    assert cohen_kappa(ratings) == 0.5
    # shares 5/8 and 3/8 in all ratings
    assert fleiss_kappa(ratings) == pytest.approx((0.75 - 34 / 64) / (1 - 34 / 64))
    assert gwet_ac1(ratings) == pytest.approx((0.75 - 30 / 64) / (1 - 30 / 64))
    assert krippendorff_alpha(ratings) == pytest.approx(1 - 2 / (2 * 15 / 7))


def test_one_class_alone_is_explained_by_chance() -> None:
    ratings = np.ones((5, 2))
    for statistic in (cohen_kappa, fleiss_kappa, krippendorff_alpha, gwet_ac1):
        assert statistic(ratings) is None
    assert gwet_ac1(ratings, n_classes=2) == 1.0


def test_nothing_rated_twice() -> None:
    ratings = np.array([[0, NAN], [NAN, 1]])
    for statistic in (cohen_kappa, fleiss_kappa, krippendorff_alpha, gwet_ac1):
        assert statistic(ratings) is None
        assert statistic(np.empty((0, 2))) is None


def test_items_that_someone_left_out() -> None:
    full = np.array([[0, 0], [0, 1], [1, 1], [2, 2]], dtype=float)
    more = np.concatenate([full, [[NAN, 1], [2, NAN], [NAN, NAN]]])
    assert cohen_kappa(more) == cohen_kappa(full)
    assert fleiss_kappa(more) == fleiss_kappa(full)


def test_wrong_questions() -> None:
    with pytest.raises(ConfigError, match="two raters"):
        cohen_kappa(np.zeros((4, 3)))
    with pytest.raises(ConfigError, match="level is one of"):
        krippendorff_alpha(np.zeros((4, 3)), level="ratio")
