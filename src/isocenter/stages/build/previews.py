"""Previews: the small pictures of a case, which show its reference channel in the first window that is named for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.masks import preview_planes
from isocenter.imaging.windows import WINDOWS
from isocenter.model.case import Case
from isocenter.model.rows import PreviewRow
from isocenter.model.task import TaskContract, Window
from isocenter.stores.layout import case_of
from isocenter.stores.shard import ShardReader

# What is shown of CT where the channel names no window of its own.
_WINDOW = "mediastinum"
# What previews are drawn from; rasters of single raters and boxes are not in them.
_ARRAYS = ("image", "mask", "valid")


def window_of(contract: TaskContract) -> Window:
    """The window that previews show Hounsfield units in."""
    named = contract.channels[contract.reference].windows
    return WINDOWS[named[0] if named else _WINDOW]


def previews_of(case: Case, contract: TaskContract) -> list[PreviewRow]:
    """Small pictures of the reference channel with its mask."""
    name = contract.reference
    at = case.channels.index(name)
    window = window_of(contract) if case.units[at] == "HU" else None
    mask = case.mask if case.mask is None or case.mask.ndim == 3 else _flattened(case.mask)
    planes = preview_planes(case.image[at], mask, case.grid, window=window, valid=case.valid)
    return [
        PreviewRow(
            case=case.id,
            channel=name,
            plane=plane.name,
            rows=plane.pixels.shape[0],
            columns=plane.pixels.shape[1],
            pixel_mm=plane.pixel_mm,
            image=plane.pixels.tobytes(),
            mask=b"" if plane.mask is None else plane.mask.astype(np.uint8).tobytes(),
        )
        for plane in planes
    ]


def previews_again(case_id: str, reader: ShardReader, contract: TaskContract) -> list[PreviewRow]:
    """The same pictures out of a record, as when the window has become another and the voxels have not."""
    known = reader.arrays(case_id)
    arrays = {n: reader.read(case_id, n, ...) for n in _ARRAYS if n in known}
    if "valid" in arrays:
        arrays["valid"] = arrays["valid"] != 0
    return previews_of(case_of(case_id, reader.meta(case_id), arrays), contract)


def _flattened(layers: NDArray[Any]) -> NDArray[np.uint8]:
    """Overlapping layers as one map for the eye: the last layer that marks a voxel shows."""
    out = np.zeros(layers.shape[1:], np.uint8)
    for number, layer in enumerate(layers, start=1):
        out[layer != 0] = number
    return out
