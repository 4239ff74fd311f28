"""Instances: lesions of several raters matched first, and then fused lesion by lesion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.ballot import Ballot
from isocenter.agreement.consensus import METHODS
from isocenter.imaging.instances import Instance, Window, as_one

_NOBODY: Mapping[str, NDArray[np.bool_] | None] = {}


def fuse_instances(
    by_rater: Mapping[str, Sequence[Instance]],
    *,
    method: str = "majority",
    tie: str = "background",
    rater: str = "",
    looked: Mapping[str, NDArray[np.bool_] | None] = _NOBODY,
) -> list[Instance]:
    """Lesions that the raters agree on by a method, in the order of their first slices, rows and columns.

    Lesions of different raters that share voxels are joined, those of the highest Dice first, and never two of one
    rater. Of each lesion every rater's voxels are fused by the method; a rater who has it not votes against it. What
    lies apart, or touches but was told apart, stays apart.

    Args:
        by_rater: Rater -> lesions, of all who looked for the label.
        method: Name of a consensus method.
        tie: "background" or "foreground".
        rater: Whose lesions are taken, for the method "single".
        looked: Rater -> what of the volume (K, J, I) was looked at, None for all of it; elsewhere there is no vote.
    """
    if method == "single":
        return list(by_rater.get(rater, ()))
    if len(by_rater) == 1:
        return [one for each in by_rater.values() for one in each]
    out = []
    fused = METHODS.get(method)
    for group in group_instances(by_rater):
        window = _around(list(group.values()))
        votes = {
            name: _within(group.get(name), window)
            for name in sorted(by_rater)
            if name in group or _has_seen(looked.get(name), window)
        }
        made = fused(Ballot(masks=votes, tie_is_foreground=tie == "foreground", rater=rater))
        lesion = None if made is None else as_one(made.mask, _start_of(window))
        if lesion is not None:
            out.append(lesion)
    return sorted(out, key=lambda one: (one.start, one.mask.shape, one.mask.tobytes()))


def group_instances(by_rater: Mapping[str, Sequence[Instance]]) -> list[dict[str, Instance]]:
    """Lesions that are the same: of each rater the one that it is, if any."""
    every = [(name, one) for name in sorted(by_rater) for one in by_rater[name]]
    sizes = [one.voxels for _, one in every]
    pairs = [
        (-2 * shared / (sizes[a] + sizes[b]), a, b)
        for a, b in _near([one for _, one in every])
        if every[a][0] != every[b][0] and (shared := _shared(every[a][1], every[b][1]))
    ]
    group = list(range(len(every)))
    members = [[n] for n in group]
    for _, a, b in sorted(pairs):
        one, other = group[a], group[b]
        names = [{every[n][0] for n in members[g]} for g in (one, other)]
        if one == other or names[0] & names[1]:
            continue
        for n in members[other]:
            group[n] = one
        members[one] += members[other]
        members[other] = []
    return [{every[n][0]: every[n][1] for n in sorted(each)} for each in members if each]


def _near(instances: Sequence[Instance]) -> list[tuple[int, int]]:
    """Pairs of lesions whose boxes overlap."""
    boxes = np.array([one.box for one in instances], dtype=np.int64).reshape(-1, 6)
    overlap = np.ones((len(boxes), len(boxes)), dtype=np.bool_)
    for axis in range(3):
        low, high = boxes[:, axis], boxes[:, axis + 3]
        overlap &= low[:, None] < high[None, :]
    overlap &= overlap.T
    return [(a, b) for a, b in np.argwhere(np.triu(overlap, 1)).tolist()]


def _shared(one: Instance, other: Instance) -> int:
    """Voxels that two lesions have in common."""
    low = [max(a, b) for a, b in zip(one.start, other.start, strict=True)]
    high = [min(a, b) for a, b in zip(one.box[3:], other.box[3:], strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return 0
    parts = []
    for each in (one, other):
        spans = zip(low, high, each.start, strict=True)
        k, j, i = (slice(a - s, b - s) for a, b, s in spans)
        parts.append(each.mask[k, j, i])
    return int(np.count_nonzero(parts[0] & parts[1]))


def _around(instances: Sequence[Instance]) -> Window:
    boxes = np.array([one.box for one in instances])
    low, high = boxes[:, :3].min(axis=0).tolist(), boxes[:, 3:].max(axis=0).tolist()
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _within(one: Instance | None, window: Window) -> NDArray[np.bool_]:
    out = np.zeros([s.stop - s.start for s in window], dtype=np.bool_)
    if one is not None:
        k, j, i = (
            slice(a.start - s.start, a.stop - s.start) for a, s in zip(one.window, window, strict=True)
        )
        out[k, j, i] = one.mask
    return out


def _has_seen(looked: NDArray[np.bool_] | None, window: Window) -> bool:
    return looked is None or bool(looked[window].all())


def _start_of(window: Window) -> tuple[int, int, int]:
    return window[0].start, window[1].start, window[2].start
