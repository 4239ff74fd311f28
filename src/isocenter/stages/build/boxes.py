"""Boxes of a case: gathered by label and rater, compared, and fused where several raters looked."""

from __future__ import annotations

import numpy as np

from isocenter.agreement.boxes import agreement_of_boxes, fuse_boxes
from isocenter.model.annotation import Agreement
from isocenter.model.rows import PlannedAnnotation
from isocenter.stages.build.options import AgreementOptions

Corners = tuple[float, ...]
# Label -> rater -> boxes in millimetres; a rater who looked for the label and found none has an empty list.
RaterBoxes = dict[str, dict[str, list[Corners]]]


def add_boxes(boxes: RaterBoxes, plan: PlannedAnnotation) -> None:
    """Add what one rater boxed, and what this rater looked for."""
    for n, label in enumerate(plan.labels):
        corners = plan.boxes[6 * n : 6 * n + 6]
        boxes.setdefault(label, {}).setdefault(plan.rater, []).append(corners)
    for label in plan.searched:
        boxes.setdefault(label, {}).setdefault(plan.rater, [])


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


def fused_boxes(boxes: RaterBoxes, options: AgreementOptions) -> list[tuple[str, Corners]]:
    """Boxes of all labels; those of a rater who alone looked for a label stay as they are."""
    out: list[tuple[str, Corners]] = []
    for label, by_rater in boxes.items():
        if len(by_rater) == 1 and options.method != "single":
            out += [(label, box) for each in by_rater.values() for box in each]
            continue
        fused = fuse_boxes(
            {rater: np.array(each) for rater, each in by_rater.items()},
            method=options.method,
            tie=options.tie,
            rater=options.rater,
            rule=options.box_rule,
            min_iou=options.min_iou,
        )
        out += [(label, tuple(box)) for box in fused.boxes.tolist()]
    return out
