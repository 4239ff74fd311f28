"""The masks that are compared: parts of the body in a real chest CT, and the same drawn a little elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import isocenter
from benchmarks.read.series import CHEST
from benchmarks.resample.volumes import BODY_HU

LABELS = 24
NEAR = (1, 2, 2)
OTHER = (-1, 3, -4)
FAR_MM = 30.0
SMALL = (8, 64, 96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Arrays in one folder, `<name>-<rater>.npy` and `small-<name>-<rater>.npy`, and `told.json` with the spacing."""

    title: str
    folder: Path
    shape: tuple[int, int, int]


def real(data: Path, folder: Path) -> Volume:
    """The body in 24 parts, one of them as an organ, and other raters' marks of both."""
    volume = isocenter.read(data / CHEST).volume
    spacing = volume.grid.spacing_mm
    body = ndimage.binary_opening(np.asarray(volume.array) > BODY_HU)
    parts = _parts(body)
    sizes = np.bincount(parts.reshape(-1), minlength=LABELS + 1)[1:]
    organ = np.ascontiguousarray(parts == 1 + int(np.argsort(sizes)[LABELS // 2]))
    far = (0, 0, round(FAR_MM / spacing[2]))
    arrays = {
        "body-0": body, "body-1": _moved(body, NEAR),
        "labels-0": parts, "labels-1": _moved(parts, NEAR),
        "near-0": organ, "near-1": _moved(organ, NEAR),
        "far-0": organ, "far-1": _moved(organ, far),
        "raters-0": organ, "raters-1": _moved(organ, NEAR), "raters-2": _moved(organ, OTHER),
    }  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "told.json").write_text(json.dumps({"spacing_mm": list(spacing)}), encoding="utf-8")
    place = np.argwhere(organ).mean(axis=0).astype(int)
    box = tuple(
        slice(max(0, min(p - s // 2, n - s)), max(0, min(p - s // 2, n - s)) + s)
        for p, s, n in zip(place, SMALL, organ.shape, strict=True)
    )
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        np.save(folder / f"small-{name}.npy", np.ascontiguousarray(array[box]))
    k, j, i = body.shape
    return Volume(title="chest CT, real", folder=folder, shape=(k, j, i))


def _moved(array: NDArray[Any], steps: tuple[int, int, int]) -> NDArray[Any]:
    """The same so many voxels on; what leaves the volume on one side does not come back on the other."""
    out = np.zeros_like(array)
    to = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(steps, array.shape, strict=True))
    of = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(steps, array.shape, strict=True))
    out[to] = array[of]
    return out


def _parts(body: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The body in parts: the voxels that are nearest to each of so many of its own."""
    random = np.random.default_rng(LABELS)
    places = np.argwhere(body[:, ::8, ::8])
    seeds = places[random.choice(len(places), LABELS, replace=False)] * (1, 8, 8)
    is_free = np.ones(body.shape, np.bool_)
    is_free[tuple(seeds.T)] = False
    nearest = ndimage.distance_transform_edt(is_free, return_distances=False, return_indices=True)
    numbers = np.zeros(body.shape, np.uint8)
    numbers[tuple(seeds.T)] = np.arange(1, LABELS + 1)
    parts = np.asarray(numbers[tuple(nearest)], np.uint8)
    parts[~body] = 0
    return parts
