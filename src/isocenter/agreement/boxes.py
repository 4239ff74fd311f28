"""Boxes: those of several raters compared, and fused lesion by lesion."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isocenter.agreement.detection import MIN_IOU, Boxes, match_boxes, pairs_of_boxes
from isocenter.model.annotation import Agreement


@dataclass(frozen=True, slots=True, eq=False)
class FusedBoxes:
    """Lesions that enough raters boxed.

    Args:
        boxes: The median of the raters' boxes of each lesion, face by face, (N, 6).
        votes: How many raters boxed each, (N,).
    """

    boxes: Boxes
    votes: tuple[int, ...]


def fuse_boxes(
    boxes_by_rater: Mapping[str, Boxes],
    *,
    method: str = "majority",
    tie: str = "background",
    rater: str = "",
    rule: str = "iou",
    min_iou: float = MIN_IOU,
) -> FusedBoxes:
    """Fuse the boxes (N, 6) of all raters who looked for a label; nobody's order matters.

    Boxes of different raters are joined into lesions, those that match best first, and never two of one rater. Of a
    lesion is kept the median box, if it has the votes that the method asks for: "union" one, "intersection" all,
    "single" the named rater's, whose box it then is, and every other method more than half, or half of them where
    `tie` is "foreground".

    Args:
        boxes_by_rater: Rater -> boxes; a rater who looked and found nothing is listed without a box.
        method: Name of a consensus method.
        tie: "background" or "foreground".
        rater: Whose boxes are taken, for the method "single".
        rule: How boxes match, "iou" or "centre" (`match_boxes`).
        min_iou: What the rule "iou" asks for.
    """
    known = {name: np.asarray(each, dtype=np.float64).reshape(-1, 6) for name, each in boxes_by_rater.items()}
    if method == "single":
        own = known.get(rater, np.empty((0, 6)))
        return FusedBoxes(own, (1,) * len(own))
    needed = _votes_needed(method, len(known), tie)
    found = _groups(known, rule, min_iou)
    lesions = [(np.median(group, axis=0), len(group)) for group in found if len(group) >= needed]
    lesions.sort(key=lambda lesion: tuple(lesion[0].tolist()))
    boxes = np.array([box for box, _ in lesions], dtype=np.float64).reshape(-1, 6)
    return FusedBoxes(boxes, tuple(votes for _, votes in lesions))


def agreement_of_boxes(
    boxes_by_rater: Mapping[str, Boxes], label: str, *, rule: str = "iou", min_iou: float = MIN_IOU
) -> tuple[Agreement, ...]:
    """Matched F1 of every pair of raters who looked for a label; boxes (N, 6) in millimetres."""
    known = {r: np.asarray(b, dtype=np.float64).reshape(-1, 6) for r, b in sorted(boxes_by_rater.items())}
    out = []
    for a, b in itertools.combinations(known, 2):
        found = match_boxes(known[a], known[b], rule=rule, min_iou=min_iou)
        volumes = tuple(float((known[r][:, 3:] - known[r][:, :3]).prod(axis=1).sum()) / 1000 for r in (a, b))
        out.append(
            Agreement(
                label=label,
                raters=(a, b),
                dice=None,
                volumes_ml=volumes,
                f1=found.f1,
                lesions=found.counts,
                lesions_matched=len(found.pairs),
                volume_difference_ml=volumes[1] - volumes[0],
            )
        )
    return tuple(out)


def _votes_needed(method: str, count: int, tie: str) -> int:
    if method in {"union", "intersection"}:
        return 1 if method == "union" else count
    return (count + 1) // 2 if tie == "foreground" else count // 2 + 1


def _groups(known: Mapping[str, Boxes], rule: str, min_iou: float) -> list[Boxes]:
    """Boxes of one lesion each, (votes, 6)."""
    owners = [rater for rater, each in known.items() for _ in each]
    boxes = np.concatenate([*known.values(), np.empty((0, 6))])
    order = np.lexsort(boxes.T[::-1])
    boxes, owners = boxes[order], [owners[n] for n in order]
    scores, is_pair = pairs_of_boxes(boxes, boxes, rule, min_iou)
    pairs = sorted((-scores[a, b], int(a), int(b)) for a, b in np.argwhere(is_pair) if a < b)
    group = list(range(len(boxes)))
    members = [[n] for n in group]
    for _, a, b in pairs:
        one, other = group[a], group[b]
        if one == other or {owners[n] for n in members[one]} & {owners[n] for n in members[other]}:
            continue
        for n in members[other]:
            group[n] = one
        members[one] += members[other]
        members[other] = []
    return [boxes[sorted(each)] for each in members if each]
