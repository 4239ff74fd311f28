"""Consensus of a case: masks of all raters fused, where each of them looked, and lesion by lesion where asked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.consensus import METHODS, fuse
from isocenter.agreement.instances import fuse_instances
from isocenter.agreement.metrics import agreement_of
from isocenter.imaging.instances import Instance, instances_of, union_of
from isocenter.imaging.shapes import boxes_to_voxel
from isocenter.model.annotation import Agreement, Consensus, Performance
from isocenter.model.grid import Grid
from isocenter.model.task import Task, TaskContract
from isocenter.stages.build.opinions import Corners, Mask, Opinion, Opinions
from isocenter.stages.build.options import AgreementOptions
from isocenter.stages.build.shapes import filled


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """What one rater says of every voxel for one label.

    Args:
        mask: What is inside, (K, J, I).
        known: Where the rater speaks at all; None everywhere.
        instances: The lesions, where the task tells them apart: as they were drawn, or else the connected pieces.
        is_outlined: Whether voxels were outlined, and not merely left out of boxes.
    """

    mask: Mask
    known: Mask | None = None
    instances: tuple[Instance, ...] = ()
    is_outlined: bool = True


@dataclass(slots=True, eq=False)
class Agreed:
    """What is made of all votes.

    Args:
        consensus: Masks, shares and agreements.
        known: Of labels that were voted on, where anybody spoke; None for everywhere.
        instances: Lesions of the consensus by label, where the task tells them apart.
        votes: By label and rater.
    """

    consensus: Consensus
    known: dict[str, Mask | None]
    instances: dict[str, list[Instance]]
    votes: dict[str, dict[str, Vote]]


def agreed_of(opinions: Opinions, grid: Grid, contract: TaskContract, options: AgreementOptions) -> Agreed:
    """Fuse what was said of voxels."""
    votes = {
        label: {rater: vote for rater, o in by_rater.items() if (vote := _vote(o, contract, grid))}
        for label, by_rater in opinions.items()
    }
    votes = {label: by_rater for label, by_rater in sorted(votes.items()) if by_rater}
    whole = {n: v for n, v in votes.items() if all(vote.known is None for vote in v.values())}
    consensus = fuse(
        {n: {rater: vote.mask for rater, vote in v.items()} for n, v in whole.items()},
        grid=grid,
        method=options.method,
        tie=options.tie,
        rater=options.rater,
        surface_mm=options.surface_mm,
    )
    known: dict[str, Mask | None] = dict.fromkeys(consensus.masks)
    for label in sorted(votes.keys() - whole.keys()):
        consensus, known[label] = _with_partial(consensus, label, votes[label], grid, options)
    instances: dict[str, list[Instance]] = {}
    if contract.instances or contract.task is Task.DETECTION:
        instances = {label: _instances(votes[label], options) for label in sorted(consensus.masks)}
        masks = {n: union_of(each, grid.shape) for n, each in instances.items()}
        consensus = replace(consensus, masks=masks)
    order = sorted(consensus.masks)
    masks = {n: consensus.masks[n] for n in order}
    agreements = sorted(consensus.agreements, key=lambda a: (a.label, a.raters))
    return Agreed(replace(consensus, masks=masks, agreements=tuple(agreements)), known, instances, votes)


def _vote(opinion: Opinion, contract: TaskContract, grid: Grid) -> Vote | None:
    """What an opinion says of voxels; boxes leave open what is inside them, unless the task has them filled.

    A box in which the rater outlined voxels says no more than these do.
    """
    is_boxed = opinion.speaks and contract.task is Task.SEGMENTATION
    boxes = [box for box in opinion.boxes if not _is_outlined(box, opinion, grid)] if is_boxed else []
    mask = opinion.mask if opinion.is_vote else None
    if not boxes:
        return None if mask is None else Vote(mask, opinion.known, _lesions(mask, opinion.parts, contract))
    inside = filled(boxes, grid)
    if contract.boxes_as_masks:
        drawn = [] if mask is None else [*_lesions(mask, opinion.parts, contract)]
        parts = [*drawn, *_box_parts(boxes, grid)] if contract.instances else []
        both = inside if mask is None else inside | mask
        known = None if opinion.known is None else opinion.known | inside
        return Vote(both, known, _lesions(both, parts, contract))
    outside = ~inside if opinion.known is None else opinion.known & ~inside
    if mask is None:
        return Vote(np.zeros(grid.shape, dtype=np.bool_), outside, is_outlined=False)
    return Vote(mask, outside, _lesions(mask, opinion.parts, contract))


def _is_outlined(box: Corners, opinion: Opinion, grid: Grid) -> bool:
    return opinion.mask is not None and bool((opinion.mask & filled([box], grid)).any())


def _lesions(mask: Mask, parts: list[Instance], contract: TaskContract) -> tuple[Instance, ...]:
    if not (contract.instances or contract.task is Task.DETECTION):
        return ()
    return tuple(parts or instances_of(mask, contract.connectivity))


def _box_parts(boxes: list[Corners], grid: Grid) -> list[Instance]:
    voxels = boxes_to_voxel(np.array(boxes, dtype=np.float64).reshape(-1, 6), grid)
    sizes = voxels[:, 3:] - voxels[:, :3]
    return [
        Instance((box[0], box[1], box[2]), np.ones(size, dtype=np.bool_))
        for box, size in zip(voxels.tolist(), sizes.tolist(), strict=True)
        if min(size) > 0
    ]


def _instances(votes: Mapping[str, Vote], options: AgreementOptions) -> list[Instance]:
    return fuse_instances(
        {rater: vote.instances for rater, vote in votes.items()},
        method=options.method,
        tie=options.tie,
        rater=options.rater,
        looked={rater: vote.known for rater, vote in votes.items()},
    )


def _with_partial(
    before: Consensus, label: str, votes: Mapping[str, Vote], grid: Grid, options: AgreementOptions
) -> tuple[Consensus, Mask]:
    """A label that some raters looked at in part: voxels are fused apart for each set of raters who saw them."""
    how = METHODS.get(options.method)
    mask, known = np.zeros(grid.shape, dtype=np.bool_), np.zeros(grid.shape, dtype=np.bool_)
    shares: NDArray[np.float32] | None = None
    told: list[tuple[int, int, Fused]] = []
    for names, where in _regions(votes, grid):
        ballot = {rater: votes[rater].mask & where for rater in names}  # elsewhere they did not all look
        made = how(Ballot(masks=ballot, tie_is_foreground=options.tie == "foreground", rater=options.rater))
        if made is None:
            continue
        mask[where], known[where] = made.mask[where], True
        if made.shares is not None:
            shares = np.zeros(grid.shape, dtype=np.float32) if shares is None else shares
            shares[where] = made.shares[where]
        told.append((int(np.count_nonzero(where)), len(names), made))
    consensus = replace(
        before,
        agreements=(*before.agreements, *_agreements(label, votes, grid, options)),
        masks={**before.masks, label: mask} if told else before.masks,
        shares=before.shares if shares is None else {**before.shares, label: shares},
        performances=(*before.performances, *_performances(label, told)),
        issues=(*before.issues, *dict.fromkeys(issue for *_, made in told for issue in made.issues)),
    )
    return consensus, known


def _performances(label: str, told: list[tuple[int, int, Fused]]) -> list[Performance]:
    """How good each rater is, as the largest part says that it saw together with another."""
    out: dict[str, Performance] = {}
    for _, raters, made in sorted(told, key=lambda one: -one[0]):
        for performance in made.performances if raters > 1 else ():
            out.setdefault(performance.rater, replace(performance, label=label))
    return [out[rater] for rater in sorted(out)]


def _regions(votes: Mapping[str, Vote], grid: Grid) -> list[tuple[list[str], Mask]]:
    """The parts of a grid, each with the raters who looked at it; parts that nobody looked at are left out."""
    whole = [rater for rater, vote in votes.items() if vote.known is None]
    regions: list[tuple[list[str], Mask]] = [(whole, np.ones(grid.shape, dtype=np.bool_))]
    for rater, vote in votes.items():
        if vote.known is None:
            continue
        split = []
        for names, where in regions:
            for raters, part in (([*names, rater], where & vote.known), (names, where & ~vote.known)):
                if part.any():
                    split.append((raters, part))
        regions = split
    return [(sorted(names), where) for names, where in regions if names]


def _agreements(
    label: str, votes: Mapping[str, Vote], grid: Grid, options: AgreementOptions
) -> list[Agreement]:
    """Every pair of raters, compared where both looked."""
    out: list[Agreement] = []
    outlined = sorted(rater for rater, vote in votes.items() if vote.is_outlined)
    for pair in itertools.combinations(outlined, 2):
        knowns = [k for rater in pair if (k := votes[rater].known) is not None]
        both = np.logical_and.reduce(knowns) if knowns else None
        if both is not None and not both.any():
            continue
        masks = {rater: votes[rater].mask if both is None else votes[rater].mask & both for rater in pair}
        out += agreement_of(masks, label, grid, surface_mm=options.surface_mm)
    return out
