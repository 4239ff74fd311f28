import numpy as np
import pytest

from isocenter.agreement.detection import iou_of_boxes, match_boxes
from isocenter.base.errors import ConfigError


def box(x: float, size: float = 10.0) -> tuple[float, ...]:
    return (x, 0.0, 0.0, x + size, size, size)


def boxes(*places: float) -> np.ndarray:
    return np.array([box(x) for x in places]).reshape(-1, 6)


def test_iou_by_hand() -> None:
    assert iou_of_boxes(boxes(0), boxes(5, 0, 10)).tolist() == [[pytest.approx(1 / 3), 1.0, 0.0]]
    flat = np.array([(0.0, 0, 0, 0, 0, 0)])
    assert iou_of_boxes(flat, flat).tolist() == [[0.0]]


def test_as_many_pairs_as_possible_and_of_those_the_best() -> None:
    # 4 overlaps with both of the others; matching it with the nearest alone would leave 8 without a partner
    found = match_boxes(boxes(0, 4), boxes(2, 8))
    assert found.pairs == ((0, 0), (1, 1))
    assert found.f1 == 1.0
    greedy = match_boxes(boxes(0, 9), boxes(8))
    assert greedy.pairs == ((1, 0),)
    assert greedy.f1 == pytest.approx(2 / 3)


def test_a_tie_goes_to_the_lowest_corner_whatever_the_order() -> None:
    assert match_boxes(boxes(0, 10), boxes(5)).pairs == ((0, 0),)
    assert match_boxes(boxes(10, 0), boxes(5)).pairs == ((1, 0),)


def test_the_threshold_is_the_callers() -> None:
    assert match_boxes(boxes(0), boxes(5), min_iou=0.34).pairs == ()
    assert match_boxes(boxes(0), boxes(5), min_iou=0.33).f1 == 1.0


def test_the_centre_rule() -> None:
    large, small = np.array([box(0, 40)]), np.array([box(15, 4)])
    assert match_boxes(large, small).pairs == ()
    found = match_boxes(large, small + np.array([0, 15, 15] * 2), rule="centre")
    assert found.pairs == ((0, 0),)
    assert match_boxes(boxes(0), boxes(11), rule="centre").f1 == 0.0
    on_the_upper_face = match_boxes(boxes(0), np.array([(9.0, 4, 4, 11, 6, 6)]), rule="centre")
    assert on_the_upper_face.pairs == ()
    assert match_boxes(boxes(0), boxes(0), rule="centre").scores == (1.0,)


def test_nothing_boxed() -> None:
    assert match_boxes(boxes(), boxes()).f1 is None
    assert match_boxes(boxes(0), boxes()).f1 == 0.0


def test_wrong_questions() -> None:
    with pytest.raises(ConfigError, match="rule is one of"):
        match_boxes(boxes(0), boxes(0), rule="area")
    with pytest.raises(ConfigError, match="min_iou"):
        match_boxes(boxes(0), boxes(0), min_iou=0.0)
