"""The cases that are loaded: one real volume, cropped and mirrored in as many ways; it runs in the peers' environments."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

MANY, FEW = 8, 3
"""Cases of the ways that read patches, and at most of those that read or keep whole volumes."""

PATCH = (128, 128, 128)
BATCH = 2
SPACING_MM = (3.0, 0.56, 0.56)
LUNG = (-1350.0, 150.0)
"""The window that values are normalised by."""

LABEL_SHARE = 0.5
"""Of patches around a labelled voxel: what nnU-Net's share of a third is in a batch of two, where one of them is."""

# So many voxels fewer along (k, j, i) than the case before has, so that no two have one shape.
_CROP = (1, 4, 4)


def cases(folder: Path, count: int) -> Iterator[tuple[str, Any, Any]]:
    """Name, image (int16 HU) and mask (uint8) of each case, made of image.npy and mask.npy of the folder.

    The bits of a case's number say along which axes it is mirrored.
    """
    np: Any = import_module("numpy")
    whole = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("image", "mask")]
    for number in range(count):
        part = tuple(_part(size, number * crop, number >> axis & 1) for axis, (size, crop) in _axes(whole[0]))
        image, mask = (np.ascontiguousarray(array[part]) for array in whole)
        yield f"case-{number}", image, mask


def _axes(array: Any) -> Iterator[tuple[int, tuple[int, int]]]:
    yield from enumerate(zip(array.shape, _CROP, strict=True))


def _part(size: int, fewer: int, is_mirrored: int) -> slice:
    return slice(size - fewer - 1, None, -1) if is_mirrored else slice(0, size - fewer)
