"""The targets of one case: every rater's annotations on its grid, their consensus, boxes and label states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.consensus import fuse
from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.imaging.affine import MatchKind, match
from isocenter.imaging.changes import Change
from isocenter.imaging.embedding import embedding
from isocenter.imaging.masks import combine, volume_ml
from isocenter.imaging.shapes import MaskShape, boxes_of_mask, boxes_to_voxel
from isocenter.model.annotation import Agreement, Annotation, Consensus, Performance
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import LabelState, PlannedAnnotation
from isocenter.model.task import Task, TaskContract
from isocenter.rules.engine import Engine
from isocenter.stages.build.boxes import RaterBoxes, add_boxes, agreements_of_boxes, fused_boxes
from isocenter.stages.build.contours import by_area, contour_issues
from isocenter.stages.build.drawings import drawings_of, reorder_between
from isocenter.stages.build.fractions import cut
from isocenter.stages.build.images import Images, SourceFile
from isocenter.stages.build.options import BuildOptions

Masks = dict[str, dict[str, NDArray[np.bool_] | None]]


@dataclass(slots=True, eq=False)
class Targets:
    """What is known of a case."""

    mask: NDArray[Any] | None = None
    raters: dict[str, NDArray[Any]] = field(default_factory=dict)
    boxes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 6)))
    boxes_voxel: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 6), np.int32))
    box_labels: tuple[str, ...] = ()
    labels: tuple[LabelState, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    performances: tuple[Performance, ...] = ()
    vanished: set[str] = field(default_factory=set)
    changes: dict[str, Change] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def read_targets(
    planned: tuple[PlannedAnnotation, ...],
    images: Images,
    stacks: Mapping[str, str],
    files: Mapping[str, SourceFile],
    options: BuildOptions,
    engine: Engine,
) -> Targets:
    """Read all annotations of a case; `stacks` maps a stack's id to its channel."""
    contract, agreement = options.contract, options.agreement
    out = Targets()
    masks: Masks = {}
    votes: dict[str, list[bool]] = {}
    boxes: RaterBoxes = {}
    for plan in planned:
        if plan.kind in {"mask", "contours"}:
            if not plan.keys:
                continue  # attached to the image, but nothing in it is a label of the task
            try:
                _add_masks(masks, plan, images, stacks, files, options, out, engine)
            except FormatError as error:
                out.issues.append(
                    because(
                        error.reason, message=error.message, measured=error.measured, expected=error.expected
                    )
                )
        elif plan.kind == "labels":
            for label, state in zip(plan.labels, plan.states, strict=True):
                if state != "not_annotated":
                    votes.setdefault(label, []).append(state == "marked")
        else:
            add_boxes(boxes, plan)
    consensus = fuse(
        masks,
        grid=images.grid,
        method=agreement.method,
        tie=agreement.tie,
        rater=agreement.rater,
        surface_mm=agreement.surface_mm,
    )
    consensus = replace(consensus, agreements=(*consensus.agreements, *agreements_of_boxes(boxes, agreement)))
    out.issues += [*consensus.issues, *engine.check(consensus)]
    out.agreements = consensus.agreements
    out.performances = consensus.performances
    if contract.task is Task.SEGMENTATION:
        out.mask = _label_map(consensus.masks, images.grid, contract)
        out.raters = _raters(masks, images.grid, contract)
    if contract.task is Task.DETECTION:
        _add_boxes(out, fused_boxes(boxes, agreement), consensus, images.grid)
    out.labels = _states(contract, consensus, votes, set(boxes), out, grid=images.grid)
    return out


def _add_masks(
    masks: Masks,
    plan: PlannedAnnotation,
    images: Images,
    stacks: Mapping[str, str],
    files: Mapping[str, SourceFile],
    options: BuildOptions,
    out: Targets,
    engine: Engine,
) -> None:
    """Masks of one annotation file on the case's grid; two keys of one label are one structure."""
    wanted = dict(zip(plan.keys, plan.labels, strict=True))
    file = files[plan.file_id]
    channel = stacks[plan.on]
    native = images.volumes[channel].grid
    found = ANNOTATIONS.get(plan.format).read(
        Path(file.path), wanted, annotation_id=plan.id, rater=plan.rater, expected=file.expected
    )
    found = tuple(cut(annotation, plan.fraction) for annotation in found)
    if plan.by_area:
        found = tuple(map(by_area, found))
    for annotation in found:
        out.issues += [
            *annotation.issues,
            *contour_issues(annotation, native),
            *engine.check(replace(annotation, grid=annotation.grid or native, on=plan.on)),
            *_regridded(annotation, native),
        ]
        masks.setdefault(annotation.concept, {}).setdefault(plan.rater)
    is_reference = channel == options.contract.reference and images.grid is images.reorder.grid
    reorder = images.reorder if is_reference else reorder_between(native, images.grid)
    kernel = options.standardise.label_kernel
    for label, drawing in drawings_of(tuple(found), native, images.grid, reorder, kernel).items():
        if drawing.is_lost:
            out.vanished.add(label)  # smaller than a voxel of the grid, or off the image
        before = masks[label][plan.rater]
        masks[label][plan.rater] = drawing.mask if before is None else before | drawing.mask
        out.changes[label] = out.changes.get(label, Change()) + drawing.change


def _regridded(annotation: Annotation, native: Grid) -> list[Issue]:
    """A note where a mask's own grid is its image's in another order, or but for rounding."""
    if annotation.grid is None:
        return []
    kind = match(native, annotation.grid).kind
    is_part = isinstance(annotation.shape, MaskShape) and annotation.shape.is_part
    if kind is MatchKind.DIFFERENT and is_part and embedding(annotation.grid, native) is not None:
        measured, expected = annotation.grid.shape, native.shape
        return [because("read/grid-part", measured=measured, expected=expected, unit="voxels")]
    reason = {MatchKind.REORDERED: "read/grid-reordered", MatchKind.ROUNDING: "read/grid-rounding"}.get(kind)
    return (
        [because(reason, measured=annotation.grid.axis_codes, expected=native.axis_codes)] if reason else []
    )


def _label_map(masks: Mapping[str, NDArray[np.bool_]], grid: Grid, contract: TaskContract) -> NDArray[Any]:
    """One label map (K, J, I), or one layer per label (L, K, J, I) where labels may overlap."""
    if contract.overlapping:
        empty = np.zeros(grid.shape, np.bool_)
        return np.stack([masks.get(label, empty) for label in contract.labels]).view(np.uint8)
    if not masks:
        return np.zeros(grid.shape, contract.mask_dtype)
    combined, _ = combine(masks, {label: contract.labels[label].value for label in masks})
    return combined.astype(contract.mask_dtype, copy=False)


def _raters(masks: Masks, grid: Grid, contract: TaskContract) -> dict[str, NDArray[Any]]:
    """Each named rater's own mask; one rater alone is the consensus already."""
    raters = sorted({r for by_rater in masks.values() for r in by_rater if r})
    if len(raters) < 2:
        return {}
    return {
        rater: _label_map(
            {label: m for label, by in masks.items() if (m := by.get(rater)) is not None}, grid, contract
        )
        for rater in raters
    }


def _add_boxes(
    out: Targets, boxes: list[tuple[str, tuple[float, ...]]], consensus: Consensus, grid: Grid
) -> None:
    """Boxes of the tables, and one box around every connected part of a mask."""
    millimetres = [np.array([b for _, b in boxes], dtype=np.float64).reshape(-1, 6)]
    voxels = [boxes_to_voxel(millimetres[0], grid)]
    labels = [label for label, _ in boxes]
    for label, mask in sorted(consensus.masks.items()):
        in_mm, in_voxels = boxes_of_mask(mask, grid)
        millimetres.append(in_mm)
        voxels.append(in_voxels)
        labels += [label] * len(in_mm)
    out.boxes, out.boxes_voxel = np.concatenate(millimetres), np.concatenate(voxels)
    out.box_labels = tuple(labels)
    sizes = out.boxes_voxel[:, 3:] - out.boxes_voxel[:, :3]
    if lost := int((sizes < 1).any(axis=1).sum()):
        out.issues.append(because("read/box-outside", measured=lost, expected=0, unit="boxes"))


def _states(
    contract: TaskContract,
    consensus: Consensus,
    votes: Mapping[str, list[bool]],
    searched: set[str],
    out: Targets,
    *,
    grid: Grid,
) -> tuple[LabelState, ...]:
    """What is known of every label of the task."""
    states = []
    for label in contract.labels:
        mask = consensus.masks.get(label)
        count = out.box_labels.count(label)
        said = votes.get(label, [])
        is_tied = bool(said) and 2 * sum(said) == len(said)
        if is_tied and mask is None and not count:
            out.issues.append(because("build/tied-labels", measured=label))
        if mask is not None:
            # what was marked and got lost on the way is no negative: rules tell a positive label without voxels
            state = "positive" if mask.any() or label in out.vanished else "negative"
        elif count or (said and 2 * sum(said) > len(said)):
            state = "positive"
        elif not is_tied and (said or label in searched):
            state = "negative"
        else:
            state = "unknown"
        volume = 0.0 if mask is None else volume_ml(mask, grid)
        change = {k: round(v, 6) for k, v in asdict(out.changes.get(label, Change())).items()}
        states.append(LabelState(label=label, state=state, volume_ml=round(volume, 6), count=count, **change))
    return tuple(states)
