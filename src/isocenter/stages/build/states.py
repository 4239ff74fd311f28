"""States: what is known of each label of a case, where, and what each rater said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.changes import Change
from isocenter.imaging.masks import volume_ml
from isocenter.model.annotation import AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.rows import LabelState, OpinionRow
from isocenter.model.task import Task, TaskContract
from isocenter.stages.build.boxes import RaterBoxes
from isocenter.stages.build.consensus import Agreed
from isocenter.stages.build.gather import Gathered
from isocenter.stages.build.opinions import Corners, Mask, Opinion
from isocenter.stages.build.shapes import filled

POSITIVE, NEGATIVE, UNKNOWN, PARTIAL, FAILED = "positive", "negative", "unknown", "partial", "failed"


def states_of(
    contract: TaskContract,
    gathered: Gathered,
    agreed: Agreed,
    boxes: RaterBoxes,
    counts: Mapping[str, int],
    grid: Grid,
) -> tuple[LabelState, ...]:
    """What is known of every label of the task; `counts` are boxes, or instances, of the consensus."""
    out = []
    for label in contract.labels:
        mask = agreed.consensus.masks.get(label)
        volume = 0.0 if mask is None else volume_ml(mask, grid)
        change = {
            k: round(v, 6) for k, v in asdict(gathered.changes.get(label, Change())).items()
        }  # sums of floats
        out.append(
            LabelState(
                label=label,
                state=PARTIAL
                if doubted_of(label, contract, gathered, agreed, grid) is not None
                else _state(label, contract.task, gathered, agreed, boxes, counts.get(label, 0)),
                volume_ml=round(volume, 6),
                count=counts.get(label, 0),
                **change,
            )
        )
    return tuple(out)


def is_tied(opinions: Mapping[str, Opinion]) -> bool:
    """Whether as many class labels say that it is there as say that it is not."""
    said = [vote for opinion in opinions.values() for vote in opinion.votes]
    return bool(said) and 2 * sum(said) == len(said)


def doubted_of(
    label: str, contract: TaskContract, gathered: Gathered, agreed: Agreed, grid: Grid
) -> Mask | None:
    """Of a segmentation without a voxel of a label, where raters who outlined none say that it is; None for nowhere.

    A point or a class label that masks contradict leaves nothing known: how far it reaches is not said.
    """
    mask, by_rater = agreed.consensus.masks.get(label), gathered.opinions.get(label, {})
    if contract.task is not Task.SEGMENTATION or mask is None or mask.any() or label in gathered.vanished:
        return None
    opinions = [o for o in by_rater.values() if o.speaks and not (o.mask is not None and o.mask.any())]
    known = agreed.known.get(label)
    said = [vote for opinion in by_rater.values() for vote in opinion.votes]
    is_said = any(any(o.votes) for o in opinions) and 2 * sum(said) >= len(said)
    points = [point for o in opinions for point in o.points]
    if (is_said and (known is None or known.all())) or _is_known_at(points, known, grid):
        return np.ones(grid.shape, dtype=np.bool_)
    boxes = [] if contract.boxes_as_masks else [box for o in opinions for box in o.boxes]
    out = filled(boxes, grid)
    there = {number for o in opinions for number, is_there in o.slice_votes.items() if is_there}
    out[[n for n in sorted(there) if _slice_votes(by_rater, grid.shape[0])[n] != 0]] = True
    return out if out.any() else None


def is_contradicted(doubted: Mask, by_rater: Mapping[str, Opinion]) -> bool:
    """Whether a mask says that nothing is there of what others say is."""
    seen = [o.known for o in by_rater.values() if o.is_vote]
    return any(known is None or bool((known & doubted).any()) for known in seen)


def _is_known_at(points: Sequence[Corners], known: Mask | None, grid: Grid) -> bool:
    if known is None or not points:
        return bool(points)
    voxels = np.rint(grid.to_voxel(np.array([p[:3] for p in points], dtype=np.float64))).astype(np.int64)
    inside = [(k, j, i) for i, j, k in voxels.tolist() if _is_in((k, j, i), grid)]
    return any(bool(known[voxel]) for voxel in inside)


def _is_in(voxel: tuple[int, ...], grid: Grid) -> bool:
    return all(0 <= n < size for n, size in zip(voxel, grid.shape, strict=True))


def _state(label: str, task: Task, gathered: Gathered, agreed: Agreed, boxes: RaterBoxes, count: int) -> str:
    by_rater = gathered.opinions.get(label, {})
    opinions = list(by_rater.values())
    mask = agreed.consensus.masks.get(label)
    # what was marked and got lost on the way is no negative: rules tell a positive label without voxels
    is_there = bool(mask is not None and mask.any()) or label in gathered.vanished or count > 0
    is_pointed = any(o.points or any(o.slice_votes.values()) for o in opinions if o.speaks)
    if task is Task.CLASSIFICATION and (is_there or is_pointed or any(o.boxes for o in opinions)):
        return POSITIVE
    if task is Task.SEGMENTATION and mask is not None:
        known = agreed.known.get(label)
        is_whole = known is None or bool(known.all())
        return PARTIAL if not is_whole else POSITIVE if is_there else NEGATIVE
    if task is Task.DETECTION and (boxes.get(label) or mask is not None):
        is_whole = any(by_rater[r].known is None for r in boxes.get(label, {}))
        is_sized = not any(p[3] <= 0 for o in opinions for p in o.points)
        return PARTIAL if not (is_whole and is_sized) else POSITIVE if is_there else NEGATIVE
    if is_there and task is not Task.SEGMENTATION:
        return POSITIVE
    return PARTIAL if is_pointed else _said(by_rater, task)


def _said(by_rater: Mapping[str, Opinion], task: Task) -> str:
    """What class labels say, or that somebody looked; that it is there says not where."""
    said = [vote for opinion in by_rater.values() for vote in opinion.votes]
    if said and not is_tied(by_rater):
        if 2 * sum(said) < len(said):
            return NEGATIVE
        return POSITIVE if task is Task.CLASSIFICATION else PARTIAL
    states = {opinion.state for opinion in by_rater.values() if not opinion.votes}
    if not said and AnnotationState.ABSENT in states and AnnotationState.MARKED not in states:
        return NEGATIVE
    if AnnotationState.PARTIAL in states:
        return PARTIAL
    return FAILED if AnnotationState.FAILED in states and not said else UNKNOWN


def known_of(
    contract: TaskContract, states: Sequence[LabelState], gathered: Gathered, agreed: Agreed, grid: Grid
) -> dict[str, Mask]:
    """Of labels that are known in part, the voxels where they are."""
    out: dict[str, Mask] = {}
    for state in states:
        if state.state != PARTIAL or contract.task is Task.CLASSIFICATION:
            continue
        known = agreed.known.get(state.label) if state.label in agreed.consensus.masks else None
        doubted = doubted_of(state.label, contract, gathered, agreed, grid)
        if doubted is not None:
            known = ~doubted if known is None else known & ~doubted
        elif known is None:
            known = np.zeros(grid.shape, dtype=np.bool_)
            for opinion in gathered.opinions.get(state.label, {}).values():
                if opinion.known is not None and opinion.speaks:
                    known |= opinion.known
        out[state.label] = known
    return out


def slice_labels_of(
    contract: TaskContract,
    states: Sequence[LabelState],
    gathered: Gathered,
    agreed: Agreed,
    known: Mapping[str, Mask],
    boxes: Mapping[str, NDArray[np.int32]],
    grid: Grid,
) -> NDArray[np.int8] | None:
    """What is known of every slice (L, K); None for a classification of which no slice was spoken of."""
    votes = {n: _slice_votes(gathered.opinions.get(n, {}), grid.shape[0]) for n in contract.labels}
    if contract.task is Task.CLASSIFICATION and not any((v >= 0).any() for v in votes.values()):
        return None
    by_label = {s.label: s.state for s in states}
    names = sorted(contract.labels, key=lambda n: contract.labels[n].value)
    rows = []
    for name in names:
        row = np.full(grid.shape[0], 0 if by_label[name] == NEGATIVE else -1, dtype=np.int8)
        if by_label[name] == POSITIVE and contract.task is not Task.CLASSIFICATION:
            row[:] = 0
        if name in known:
            row[known[name].all(axis=(1, 2))] = 0
        row = np.where(votes[name] >= 0, votes[name], row).astype(np.int8)
        if (mask := agreed.consensus.masks.get(name)) is not None:
            row[mask.any(axis=(1, 2))] = 1
        for box in boxes.get(name, np.zeros((0, 6), np.int32)).tolist():
            row[box[0] : box[3]] = 1
        rows.append(row)
    return np.stack(rows)


def _slice_votes(by_rater: Mapping[str, Opinion], count: int) -> NDArray[np.int8]:
    """The majority of class labels of each slice; -1 where there is none, or a tie."""
    yes, no = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for opinion in by_rater.values():
        for number, is_there in opinion.slice_votes.items():
            (yes if is_there else no)[number] += 1
    return np.where(yes == no, -1, yes > no).astype(np.int8)


def opinion_rows(gathered: Gathered, agreed: Agreed, boxes: RaterBoxes, grid: Grid) -> tuple[OpinionRow, ...]:
    """The state of every label by every rater, without the case."""
    out = []
    for label in sorted(gathered.opinions):
        for rater, opinion in sorted(gathered.opinions[label].items()):
            vote = agreed.votes.get(label, {}).get(rater)
            out.append(
                OpinionRow(
                    case="",
                    label=label,
                    rater=rater,
                    state=str(opinion.state),
                    looked=round(opinion.looked, 6),
                    volume_ml=round(0.0 if opinion.mask is None else volume_ml(opinion.mask, grid), 6),
                    boxes=len(boxes.get(label, {}).get(rater, opinion.boxes)),
                    points=len(opinion.points),
                    instances=0 if vote is None else len(vote.instances),
                )
            )
    return tuple(out)
