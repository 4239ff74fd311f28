"""Detection: whether two raters boxed the same lesions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.matching import Matching, match
from isocenter.base.errors import ConfigError

RULES = ("iou", "centre")

# In 3D an IoU of 0.7 means edges that are off by a tenth of the box; radiologists' boxes are not that alike.
MIN_IOU = 0.1

Boxes = NDArray[np.float64]


def match_boxes(first: Boxes, second: Boxes, *, rule: str = "iou", min_iou: float = MIN_IOU) -> Matching:
    """Match boxes (N, 6) and (M, 6), lower corner and upper corner, in any one unit: most pairs, then highest scores.

    The order of the boxes does not matter: ties go to the boxes with the lowest corners.

    Args:
        first: Boxes of one rater.
        second: Boxes of the other.
        rule: "iou": boxes match whose intersection over union is at least `min_iou`; the score is the IoU.
            "centre": boxes match of which one holds the other's centre (lower faces belong to a box, upper do
            not); the score falls from 1 with the distance of the centres, and is 0.5 where it equals the sum of
            both half diagonals.
        min_iou: What the rule "iou" asks for, above 0.

    Raises:
        ConfigError: neither rule, or a threshold out of range.
    """
    one, other = (np.asarray(each, dtype=np.float64).reshape(-1, 6) for each in (first, second))
    orders = [np.lexsort(each.T[::-1]) for each in (one, other)]
    one, other = one[orders[0]], other[orders[1]]
    scores, is_pair = pairs_of_boxes(one, other, rule, min_iou)
    a, b = np.nonzero(is_pair)
    found = match(a, b, scores[a, b], (len(one), len(other)), most_pairs=True)
    pairs = sorted(
        (int(orders[0][x]), int(orders[1][y]), score)
        for (x, y), score in zip(found.pairs, found.scores, strict=True)
    )
    return Matching(tuple((x, y) for x, y, _ in pairs), tuple(s for *_, s in pairs), found.counts)


def pairs_of_boxes(first: Boxes, second: Boxes, rule: str, min_iou: float) -> tuple[Boxes, NDArray[np.bool_]]:
    """Score of every pair of boxes, (N, M), and whether they match at all; as `match_boxes` says.

    Raises:
        ConfigError: neither rule, or a threshold out of range.
    """
    if rule not in RULES:
        raise ConfigError(f"rule is one of {', '.join(RULES)}, not {rule!r}")
    if not 0 < min_iou <= 1:
        raise ConfigError(f"min_iou lies above 0 and at most at 1, not at {min_iou:g}")
    if rule == "iou":
        scores = iou_of_boxes(first, second)
        return scores, scores >= min_iou
    return _closeness(first, second)


def iou_of_boxes(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes, (N, M); 0 where both are empty."""
    low = np.maximum(first[:, None, :3], second[None, :, :3])
    high = np.minimum(first[:, None, 3:], second[None, :, 3:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    sizes = [np.clip(each[:, 3:] - each[:, :3], 0, None).prod(axis=1) for each in (first, second)]
    union = sizes[0][:, None] + sizes[1][None] - both
    out: Boxes = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return out


def _closeness(first: Boxes, second: Boxes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    centres = [(each[:, :3] + each[:, 3:]) / 2 for each in (first, second)]
    halves = [np.linalg.norm(each[:, 3:] - each[:, :3], axis=1) / 2 for each in (first, second)]
    distance = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2)
    reach = halves[0][:, None] + halves[1][None]
    scores = np.divide(reach, reach + distance, out=np.ones_like(reach), where=reach + distance > 0)
    in_first = _holds(first[:, None], centres[1][None])
    in_second = _holds(second[None], centres[0][:, None])
    return scores, in_first | in_second


def _holds(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(((points >= boxes[..., :3]) & (points < boxes[..., 3:])).all(axis=-1))
