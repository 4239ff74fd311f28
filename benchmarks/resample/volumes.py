"""The volumes that are resampled: a real chest CT, the same reflected in z, and label maps made of its body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import isocenter
from benchmarks.read.series import CHEST, LONG

TARGET_MM = 1.0
LABELS = (1, 11, 24, 117)
BODY_HU = -500
_SMALL = (8, 64, 96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Arrays in one folder: `image.npy`, `labels-<n>.npy`, `small-*.npy`, and in `told.json` what they come to."""

    title: str
    folder: Path
    shape: tuple[int, int, int]
    target: tuple[int, int, int]

    @property
    def n_bytes(self) -> tuple[int, int]:
        """Of the image before and after, as int16."""
        (k, j, i), (c, b, a) = self.shape, self.target
        return 2 * k * j * i, 2 * c * b * a


def real(data: Path, place: Path) -> Volume:
    """The chest CT as it is."""
    volume = isocenter.read(data / CHEST).volume
    return _stored("chest CT, real", np.asarray(volume.array), volume.grid.spacing_mm, place)


def reflected(one: Volume, place: Path) -> Volume:
    """The same, reflected in z to 300 slices."""
    spacing = json.loads((one.folder / "told.json").read_text(encoding="utf-8"))["spacing_mm"]
    array = np.load(one.folder / "image.npy")
    turns = [array[:: -1 if n % 2 else 1] for n in range(-(-LONG // len(array)))]
    return _stored("the same reflected in z", np.concatenate(turns)[:LONG], spacing, place)


def _stored(title: str, array: NDArray[Any], spacing_mm: Sequence[float], folder: Path) -> Volume:
    """The image and its label maps; the target has as many voxels of 1 mm as come nearest to the field of view."""
    folder.mkdir(parents=True)
    factors = [s / TARGET_MM for s in spacing_mm]
    target = [round(n * f) for n, f in zip(array.shape, factors, strict=True)]
    small_target = [round(n * f) for n, f in zip(_SMALL, factors, strict=True)]
    told = {"spacing_mm": list(spacing_mm), "target": target, "small_target": small_target}
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")
    arrays = {"image": np.ascontiguousarray(array)}
    body = ndimage.binary_opening(array > BODY_HU)
    arrays.update({f"labels-{n}": _labelled(body, n) for n in LABELS})
    k, j, i = (
        slice(max(0, (n - s) // 2), (n - s) // 2 + s) for n, s in zip(array.shape, _SMALL, strict=True)
    )
    for name, each in arrays.items():
        np.save(folder / f"{name}.npy", each)
        np.save(folder / f"small-{name}.npy", np.ascontiguousarray(each[k, j, i]))
    shape, (c, b, a) = array.shape, target
    return Volume(title=title, folder=folder, shape=(shape[0], shape[1], shape[2]), target=(c, b, a))


def _labelled(body: NDArray[np.bool_], count: int) -> NDArray[np.uint8]:
    """The body in so many parts: the voxels that are nearest to each of so many of its own, a grid as coarse as needed."""
    if count == 1:
        return body.view(np.uint8)
    random = np.random.default_rng(count)
    places = np.argwhere(body[:, ::8, ::8])
    seeds = places[random.choice(len(places), count, replace=False)] * (1, 8, 8)
    marked = np.ones(body.shape, np.bool_)
    marked[tuple(seeds.T)] = False
    nearest = ndimage.distance_transform_edt(marked, return_distances=False, return_indices=True)
    numbers = np.zeros(body.shape, np.uint8)
    numbers[tuple(seeds.T)] = np.arange(1, count + 1)
    parts = numbers[tuple(nearest)]
    parts[~body] = 0
    return np.asarray(parts, np.uint8)
