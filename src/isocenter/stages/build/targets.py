"""The targets of one case: every rater's annotations on its grid, their consensus, boxes and label states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.instances import Instance, numbered
from isocenter.imaging.masks import combine
from isocenter.imaging.shapes import boxes_to_voxel, boxes_to_world
from isocenter.model.annotation import Agreement, Performance
from isocenter.model.case import SHARE_UNIT, Marks, no_boxes, no_points
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because
from isocenter.model.rows import LabelState, OpinionRow, PlannedAnnotation
from isocenter.model.task import Task, TaskContract
from isocenter.rules.engine import Engine
from isocenter.stages.build import states
from isocenter.stages.build.boxes import RaterBoxes, agreements_of_boxes, boxes_of_raters, fused_boxes
from isocenter.stages.build.consensus import Agreed, agreed_of
from isocenter.stages.build.gather import Gathered, gather
from isocenter.stages.build.images import Images, SourceFile
from isocenter.stages.build.opinions import Mask, Opinions
from isocenter.stages.build.options import AgreementOptions, BuildOptions

# What cost an annotation for this hour alone: the next run tries again.
_PASSING = {"file/changed", "file/unreadable"}


@dataclass(slots=True, eq=False)
class Targets:
    """What is known of a case; fields as those of `Case`, and masks that were not taken, by rater."""

    mask: NDArray[Any] | None = None
    raters: dict[str, NDArray[Any]] = field(default_factory=dict)
    known: dict[str, Mask] = field(default_factory=dict)
    rater_known: dict[str, dict[str, Mask]] = field(default_factory=dict)
    shares: dict[str, NDArray[np.uint16]] = field(default_factory=dict)
    instances: NDArray[Any] | None = None
    boxes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 6)))
    boxes_voxel: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 6), np.int32))
    box_labels: tuple[str, ...] = ()
    rater_boxes: Marks = field(default_factory=no_boxes)
    rater_points: Marks = field(default_factory=no_points)
    opinions: tuple[OpinionRow, ...] = ()
    slice_labels: NDArray[np.int8] | None = None
    labels: tuple[LabelState, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    performances: tuple[Performance, ...] = ()
    not_taken: dict[str, Mask] = field(default_factory=dict)
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
    contract, agreement, grid = options.contract, options.agreement, images.grid
    gathered = gather(planned, images, stacks, files, options, engine)
    agreed = agreed_of(gathered.opinions, grid, contract, agreement)
    boxes = boxes_of_raters(gathered.opinions, agreed.votes, grid)
    drawn = {n: by for n, by in boxes.items() if _is_boxed(gathered.opinions, n)}
    pairs = (*agreed.consensus.agreements, *agreements_of_boxes(drawn, agreement))
    agreed.consensus = replace(agreed.consensus, agreements=pairs)
    out = Targets(agreements=pairs, performances=agreed.consensus.performances, issues=gathered.issues)
    out.not_taken = gathered.not_taken
    out.issues += [*agreed.consensus.issues, *engine.check(agreed.consensus)]
    if contract.task is Task.SEGMENTATION:
        out.mask = _label_map(agreed.consensus.masks, grid, contract)
        out.raters, out.rater_known = _raters(agreed, grid, contract)
        out.shares = _shares(agreed)
    if contract.instances:
        _add_instances(out, agreed, contract, grid)
    if contract.task is Task.DETECTION:
        _add_boxes(out, agreed, drawn, gathered.opinions, agreement, grid)
    counts = {label: out.box_labels.count(label) for label in contract.labels}
    asked, asked_boxes = _asked(gathered, boxes, agreement)
    out.labels = states.states_of(contract, asked, agreed, asked_boxes, counts, grid)
    out.known = states.known_of(contract, out.labels, asked, agreed, grid)
    by_label = {n: out.boxes_voxel[[b == n for b in out.box_labels]] for n in set(out.box_labels)}
    out.slice_labels = states.slice_labels_of(contract, out.labels, asked, agreed, out.known, by_label, grid)
    out.opinions = states.opinion_rows(gathered, agreed, boxes, grid)
    out.rater_boxes, out.rater_points = _marks(gathered.opinions, boxes, contract)
    _tell_ties(out, asked, agreed)
    _tell_silence(out, gathered, agreement)
    _tell_contradictions(out, asked, agreed, contract, grid)
    out.issues = _softened(out)
    return out


def _asked(gathered: Gathered, boxes: RaterBoxes, options: AgreementOptions) -> tuple[Gathered, RaterBoxes]:
    """Those who decide what is known: all raters, or the one whom the method single names."""
    if options.method != "single":
        return gathered, boxes
    rater = options.rater
    return gathered.alone(rater), {n: {rater: by[rater]} for n, by in boxes.items() if rater in by}


def _is_boxed(opinions: Opinions, label: str) -> bool:
    """Whether any rater gave boxes of a label, or points of a known size; else its boxes are those of masks."""
    return any(o.boxes or any(p[3] > 0 for p in o.points) for o in opinions[label].values())


def _label_map(masks: Mapping[str, Mask], grid: Grid, contract: TaskContract) -> NDArray[Any]:
    """One label map (K, J, I), or one layer per label (L, K, J, I), by their values, where labels may overlap."""
    if contract.overlapping:
        empty = np.zeros(grid.shape, np.bool_)
        order = sorted(contract.labels, key=lambda label: contract.labels[label].value)
        return np.stack([masks.get(label, empty) for label in order]).view(np.uint8)
    if not masks:
        return np.zeros(grid.shape, contract.mask_dtype)
    combined, _ = combine(masks, {label: contract.labels[label].value for label in masks})
    return combined.astype(contract.mask_dtype, copy=False)


def _raters(
    agreed: Agreed, grid: Grid, contract: TaskContract
) -> tuple[dict[str, NDArray[Any]], dict[str, dict[str, Mask]]]:
    """Each named rater's own mask, and what was looked at in part; one rater alone is the consensus already."""
    raters = sorted({r for by_rater in agreed.votes.values() for r in by_rater if r})
    if len(raters) < 2:
        return {}, {}
    own = {r: {label: by[r] for label, by in agreed.votes.items() if r in by} for r in raters}
    known = {
        r: {label: vote.known for label, vote in votes.items() if vote.known is not None}
        for r, votes in own.items()
    }
    masks = {r: _label_map({n: v.mask for n, v in votes.items()}, grid, contract) for r, votes in own.items()}
    return masks, {r: found for r, found in known.items() if found}


def _shares(agreed: Agreed) -> dict[str, NDArray[np.uint16]]:
    """How sure the method is of each voxel; what one rater alone says is the mask."""
    return {
        label: np.rint(shares * SHARE_UNIT).astype(np.uint16)
        for label, shares in sorted(agreed.consensus.shares.items())
        if len(agreed.votes[label]) > 1
    }


def _add_instances(out: Targets, agreed: Agreed, contract: TaskContract, grid: Grid) -> None:
    """Numbers of lesions, those of the label with the lowest value first, and a box around each."""
    order = sorted(agreed.instances, key=lambda n: contract.labels[n].value)
    every = [(label, one) for label in order for one in agreed.instances[label]]
    out.instances, hidden = numbered([one for _, one in every], grid.shape)
    _set_boxes(out, every, grid)
    if hidden:
        told = f"{len(hidden)} of {len(every)}"
        out.issues.append(because("build/hidden-instance", measured=told, expected="0", unit="instances"))


def _set_boxes(out: Targets, every: list[tuple[str, Instance]], grid: Grid) -> None:
    out.boxes_voxel = np.array([one.box for _, one in every], dtype=np.int32).reshape(-1, 6)
    out.boxes = boxes_to_world(out.boxes_voxel, grid)
    out.box_labels = tuple(label for label, _ in every)


def _add_boxes(
    out: Targets,
    agreed: Agreed,
    drawn: RaterBoxes,
    opinions: Opinions,
    options: AgreementOptions,
    grid: Grid,
) -> None:
    """Boxes of raters fused, and one box around every lesion of labels that were outlined alone."""
    fused = fused_boxes(drawn, opinions, options)
    millimetres = np.array([b for _, b in fused], dtype=np.float64).reshape(-1, 6)
    of_masks = [(n, one) for n in sorted(agreed.instances) if n not in drawn for one in agreed.instances[n]]
    _set_boxes(out, of_masks, grid)
    out.boxes_voxel = np.concatenate([boxes_to_voxel(millimetres, grid), out.boxes_voxel])
    out.boxes = np.concatenate([millimetres, out.boxes])
    out.box_labels = (*(label for label, _ in fused), *out.box_labels)
    sizes = out.boxes_voxel[:, 3:] - out.boxes_voxel[:, :3]
    if lost := int((sizes < 1).any(axis=1).sum()):
        out.issues.append(because("read/box-outside", measured=lost, expected=0, unit="boxes"))


def _marks(opinions: Opinions, boxes: RaterBoxes, contract: TaskContract) -> tuple[Marks, Marks]:
    """Boxes and points of every rater; boxes of one rater alone are those of the consensus already."""
    own_boxes = [
        (rater, label, box)
        for label in sorted(opinions)
        for rater in sorted(opinions[label])
        for box in (
            boxes.get(label, {}).get(rater, ())
            if contract.task is Task.DETECTION
            else opinions[label][rater].boxes
        )
    ]
    is_alone = contract.task is Task.DETECTION and len({r for by in boxes.values() for r in by}) < 2
    points = [
        (rater, label, point)
        for label in sorted(opinions)
        for rater in sorted(opinions[label])
        for point in opinions[label][rater].points
    ]
    return _as_marks([] if is_alone else own_boxes, 6), _as_marks(points, 4)


def _as_marks(rows: list[tuple[str, str, tuple[float, ...]]], width: int) -> Marks:
    return Marks(
        raters=tuple(rater for rater, _, _ in rows),
        labels=tuple(label for _, label, _ in rows),
        where=np.array([numbers for *_, numbers in rows], dtype=np.float64).reshape(-1, width),
    )


def _tell_ties(out: Targets, gathered: Gathered, agreed: Agreed) -> None:
    """Labels of which as many say yes as no, and nothing else is known."""
    for label, by_rater in sorted(gathered.opinions.items()):
        is_drawn = label in agreed.consensus.masks or label in out.box_labels
        if states.is_tied(by_rater) and not is_drawn:
            out.issues.append(because("build/tied-labels", measured=label))


def _tell_silence(out: Targets, gathered: Gathered, options: AgreementOptions) -> None:
    """Others annotated the case, and the one rater who decides did not."""
    if options.method != "single":
        return
    spoken = {(n, r) for n, by in gathered.opinions.items() for r, opinion in by.items() if opinion.speaks}
    if spoken and not any(rater == options.rater for _, rater in spoken):
        labels = ", ".join(sorted({label for label, _ in spoken}))
        out.issues.append(because("build/silent-rater", measured=labels))


def _tell_contradictions(
    out: Targets, gathered: Gathered, agreed: Agreed, contract: TaskContract, grid: Grid
) -> None:
    """Labels that masks say are nowhere, and others that they are."""
    for label in sorted(contract.labels):
        doubted = states.doubted_of(label, contract, gathered, agreed, grid)
        if doubted is not None and states.is_contradicted(doubted, gathered.opinions[label]):
            out.issues.append(because("build/contradicted-mask", measured=label))


def _softened(out: Targets) -> list[Issue]:
    """An annotation that cannot be read rejects no case of which something else is known: a person looks at it."""
    if not any(s.state in {"positive", "negative", "partial"} for s in out.labels):
        return out.issues
    return [
        replace(i, severity=Severity.REVIEW)
        if i.severity is Severity.REJECT
        and i.rule.partition("/")[0] in {"read", "file"}
        and i.rule not in _PASSING
        else i
        for i in out.issues
    ]
