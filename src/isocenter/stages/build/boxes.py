"""Boxes of a case: gathered by label and rater, compared, and fused where several raters looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.boxes import agreement_of_boxes, fuse_boxes
from isocenter.imaging.instances import Instance
from isocenter.imaging.shapes import boxes_to_world
from isocenter.model.annotation import Agreement
from isocenter.model.grid import Grid
from isocenter.stages.build.consensus import Vote
from isocenter.stages.build.opinions import Corners, Opinions
from isocenter.stages.build.options import AgreementOptions
from isocenter.stages.build.shapes import box_around

# Label -> rater -> boxes in millimetres; a rater who looked for the label and found none has an empty list.
RaterBoxes = dict[str, dict[str, list[Corners]]]


def boxes_of_raters(opinions: Opinions, votes: Mapping[str, Mapping[str, Vote]], grid: Grid) -> RaterBoxes:
    """The boxes of every rater: as drawn, around points of which the size is known, and around lesions of masks.

    A rater who gave nothing but class labels, or points of no size, said nothing of boxes and is left out; and so does
    a mask without the label say nothing against boxes that nobody is named for: they complete each other.
    """
    out: RaterBoxes = {}
    for label, by_rater in opinions.items():
        is_named = all(rater for rater, opinion in by_rater.items() if opinion.boxes)
        for rater, opinion in by_rater.items():
            sized = [box for point in opinion.points if (box := box_around(point)) is not None]
            vote = votes.get(label, {}).get(rater)
            found = [*opinion.boxes, *sized]
            if vote is not None:
                found += corners_of(vote.instances, grid)
            is_silent = not opinion.speaks or (
                not found and (opinion.points or opinion.votes or (vote is not None and not is_named))
            )
            if not is_silent:
                out.setdefault(label, {})[rater] = found
    return out


def corners_of(instances: Sequence[Instance], grid: Grid) -> list[Corners]:
    """The boxes around lesions, in millimetres."""
    if not instances:
        return []
    boxes: NDArray[np.int32] = np.array([one.box for one in instances], dtype=np.int32)
    return [tuple(box) for box in boxes_to_world(boxes, grid).tolist()]


def agreements_of_boxes(boxes: RaterBoxes, options: AgreementOptions) -> tuple[Agreement, ...]:
    """Every pair of raters on every label that both looked for, labels sorted."""
    return tuple(
        agreement
        for label in sorted(boxes)
        for agreement in agreement_of_boxes(
            {rater: np.array(each) for rater, each in boxes[label].items()},
            label,
            rule=options.box_rule,
            min_iou=options.min_iou,
        )
    )


def fused_boxes(
    boxes: RaterBoxes, opinions: Opinions, options: AgreementOptions
) -> list[tuple[str, Corners]]:
    """Boxes of all labels; those of a rater who alone looked for a label stay as they are.

    Where some raters looked at all of the image, they alone decide; where all looked at parts, a box of any counts.
    """
    out: list[tuple[str, Corners]] = []
    for label, by_rater in boxes.items():
        whole = {r: each for r, each in by_rater.items() if opinions[label][r].known is None}
        asked, method = (whole, options.method) if whole else (by_rater, "union")
        if options.method == "single":
            asked, method = by_rater, "single"
        if len(asked) == 1 and method != "single":
            out += [(label, box) for each in asked.values() for box in each]
            continue
        fused = fuse_boxes(
            {rater: np.array(each) for rater, each in asked.items()},
            method=method,
            tie=options.tie,
            rater=options.rater,
            rule=options.box_rule,
            min_iou=options.min_iou,
        )
        out += [(label, tuple(box)) for box in fused.boxes.tolist()]
    return out
