"""Previews: the small pictures of a case, which show its reference channel in the first window that is named for it.

A case that a person has to look at shows more than its mask: the outline of every rater, and of masks that were not
taken, in the planes where they differ most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.masks import flattened, preview_planes
from isocenter.imaging.windows import WINDOWS
from isocenter.model.case import Case
from isocenter.model.grid import Grid
from isocenter.model.issue import Verdict
from isocenter.model.rows import PreviewRow
from isocenter.model.task import TaskContract, Window
from isocenter.stores.layout import affine_of
from isocenter.stores.shard import ShardReader

# What is shown of CT where the channel names no window of its own.
_WINDOW = "mediastinum"
# Behind the name of a rater: the mask was not taken, and is shown where it would be.
NOT_TAKEN = "?"


def window_of(contract: TaskContract) -> Window:
    """The window that previews show Hounsfield units in."""
    named = contract.channels[contract.reference].windows
    return WINDOWS[named[0] if named else _WINDOW]


def previews_of(
    case: Case, contract: TaskContract, not_taken: Mapping[str, NDArray[Any]] | None = None
) -> list[PreviewRow]:
    """Small pictures of the reference channel with its mask.

    Args:
        case: The case.
        contract: Its labels and channels.
        not_taken: Rater -> mask (K, J, I), of masks that are held back because of where they are.
    """
    name = contract.reference
    at = case.channels.index(name)
    mask = None if case.mask is None else flattened(case.mask, _values(contract))
    drawn = _drawn(case, contract, not_taken or {})
    planes = preview_planes(
        case.image[at],
        mask,
        case.grid,
        window=_window(contract, case.units[at]),
        valid=case.valid,
        drawn=tuple(drawn.values()),
        focus=_differing(tuple(drawn.values())),
    )
    return [
        PreviewRow(
            case=case.id,
            channel=name,
            plane=plane.name,
            rows=plane.pixels.shape[0],
            columns=plane.pixels.shape[1],
            pixel_mm=plane.pixel_mm,
            image=plane.pixels.tobytes(),
            mask=b"" if plane.mask is None else plane.mask.tobytes(),
            drawn_by=tuple(drawn),
            drawn=b"".join(one.tobytes() for one in plane.drawn),
            through=plane.through,
        )
        for plane in planes
    ]


def previews_again(
    before: Sequence[PreviewRow], reader: ShardReader, contract: TaskContract
) -> list[PreviewRow]:
    """The same pictures of one case, as when the window has become another and the voxels have not."""
    if not before:
        return []
    case_id = before[0].case
    meta = reader.meta(case_id)
    at = meta["channels"].index(contract.reference)
    grid = Grid(
        (meta["shape"][0], meta["shape"][1], meta["shape"][2]), affine_of(meta), "", meta["is_oriented"]
    )
    valid = reader.read(case_id, "valid", ...) != 0 if "valid" in reader.arrays(case_id) else None
    image = reader.read(case_id, "image", ...)[at]
    window = _window(contract, meta["units"][at])
    planes = preview_planes(image, None, grid, window=window, valid=valid, through=before[0].through)
    grey = {plane.name: plane.pixels.tobytes() for plane in planes}
    return [replace(row, image=grey[row.plane]) for row in before]


def _window(contract: TaskContract, unit: str) -> Window | None:
    return window_of(contract) if unit == "HU" else None


def _drawn(
    case: Case, contract: TaskContract, not_taken: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Of a case on review, the mask of every rater and of what was not taken."""
    if case.verdict != Verdict.REVIEW:
        return {}
    taken = {rater: flattened(case.raters[rater], _values(contract)) for rater in sorted(case.raters)}
    held = {f"{rater}{NOT_TAKEN}": not_taken[rater] for rater in sorted(not_taken)}
    return {**taken, **held}


def _differing(masks: Sequence[NDArray[Any]]) -> NDArray[np.bool_] | None:
    """Where masks do not all say the same; of a single one, what it marks."""
    if not masks:
        return None
    if len(masks) == 1:
        return np.asarray(masks[0] != 0)
    out = np.zeros(masks[0].shape, dtype=np.bool_)
    for mask in masks[1:]:
        out |= mask != masks[0]
    return out


def _values(contract: TaskContract) -> list[int]:
    return [label.value for label in contract.labels.values()]
