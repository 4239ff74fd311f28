import itertools

import numpy as np
import pytest

from isocenter.agreement.boxes import agreement_of_boxes, fuse_boxes


def boxes(*places: float) -> np.ndarray:
    return np.array([(x, 0.0, 0.0, x + 10, 10, 10) for x in places]).reshape(-1, 6)


THREE = {"a": boxes(0, 50), "b": boxes(2), "c": boxes(1, 52)}


def lows(found) -> list[float]:
    return found.boxes[:, 0].tolist()


def test_the_median_box_of_each_lesion() -> None:
    found = fuse_boxes(THREE)
    assert lows(found) == [1.0, 51.0]
    assert found.votes == (3, 2)


@pytest.mark.parametrize(
    ("method", "expected"), [("union", [1.0, 51.0, 90.0]), ("intersection", [1.0]), ("majority", [1.0, 51.0])]
)
def test_votes_needed(method: str, expected: list[float]) -> None:
    given = {**THREE, "b": boxes(2, 90)}
    assert lows(fuse_boxes(given, method=method)) == expected


def test_the_tie_rule_decides_half_of_the_votes() -> None:
    given = {"a": boxes(0), "b": boxes()}
    assert lows(fuse_boxes(given)) == []
    assert lows(fuse_boxes(given, tie="foreground")) == [0.0]


def test_who_is_not_listed_has_no_vote() -> None:
    assert lows(fuse_boxes({"a": boxes(0)})) == [0.0]
    assert lows(fuse_boxes({})) == []


def test_a_single_rater() -> None:
    assert lows(fuse_boxes(THREE, method="single", rater="b")) == [2.0]
    assert lows(fuse_boxes(THREE, method="single", rater="z")) == []


def test_two_boxes_of_one_rater_are_never_one_lesion() -> None:
    found = fuse_boxes({"a": boxes(0, 3), "b": boxes(1)}, method="union")
    assert lows(found) == [0.5, 3.0]
    assert found.votes == (2, 1)


def test_nobodys_order_matters() -> None:
    expected = fuse_boxes(THREE, method="union")
    for names in itertools.permutations(THREE):
        found = fuse_boxes({n: THREE[n][::-1] for n in names}, method="union")
        assert np.array_equal(found.boxes, expected.boxes)
        assert found.votes == expected.votes


def test_agreement_of_every_pair() -> None:
    found = agreement_of_boxes(THREE, "nodule")
    assert [(a.raters, a.f1, a.lesions, a.lesions_matched) for a in found] == [
        (("a", "b"), pytest.approx(2 / 3), (2, 1), 1),
        (("a", "c"), 1.0, (2, 2), 2),
        (("b", "c"), pytest.approx(2 / 3), (1, 2), 1),
    ]
    assert found[0].dice is None
    assert found[0].volumes_ml == (2.0, 1.0)
    assert found[0].volume_difference_ml == -1.0
    assert agreement_of_boxes({"a": boxes(), "b": boxes()}, "nodule")[0].f1 is None
