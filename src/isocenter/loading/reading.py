"""Reading: a box of voxels of one case, with what lies beyond the volume filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.loading import memory
from isocenter.loading.sampler import Triple
from isocenter.stores.lazy import LazyArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Voxels `start` to `start + size` (k, j, i) of a volume; they may lie outside it."""

    start: Triple
    size: Triple

    def grown(self, by: Triple) -> Box:
        """The box with as many voxels more on each side."""
        k, j, i = (a - b for a, b in zip(self.start, by, strict=True))
        n, m, p = (a + 2 * b for a, b in zip(self.size, by, strict=True))
        return Box(start=(k, j, i), size=(n, m, p))

    def inside(self, shape: Triple) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The part of the box that is inside a volume: slices of the volume, and slices of the box."""
        source, target = [], []
        for start, size, n in zip(self.start, self.size, shape, strict=True):
            low, high = min(max(start, 0), n), max(min(start + size, n), 0)
            source.append(slice(low, max(low, high)))
            target.append(slice(low - start, max(low, high) - start))
        return tuple(source), tuple(target)

    def padding(self, shape: Triple) -> NDArray[np.int32]:
        """Voxels (3, 2) of the box before and after the volume along k, j, i."""
        ends = zip(self.start, self.size, shape, strict=True)
        return np.array([(max(0, -s), max(0, s + n - whole)) for s, n, whole in ends], np.int32)


def read_channels(
    image: Any, places: Sequence[int], background: Sequence[float], box: Box, shape: Triple
) -> list[NDArray[Any]]:
    """The box of each channel (K, J, I), in the stored type; a missing channel is background."""
    return [
        read(image, (int(place),), fill, box, shape) if place >= 0 else np.full(box.size, fill, image.dtype)
        for place, fill in zip(places, background, strict=True)
    ]


def read_valid(arrays: Mapping[str, Any], box: Box, shape: Triple) -> NDArray[np.bool_]:
    """Where the box (K, J, I) holds real voxels."""
    if "valid" in arrays:
        return read(arrays["valid"], (), False, box, shape, "valid")
    out = memory.empty(box.size, np.bool_, "valid")
    is_within = not box.padding(shape).any()
    out[...] = is_within
    if not is_within:
        out[box.inside(shape)[1]] = True
    return out


def read(
    array: Any, lead: tuple[int | slice, ...], fill: float, box: Box, shape: Triple, name: str = ""
) -> NDArray[Any]:
    """The box of an array whose last three axes are the volume's, filled where it lies outside.

    Args:
        array: A stored array, or one of NumPy.
        lead: Index of the axes before: numbers, and whole slices.
        fill: What is outside.
        box: The box.
        shape: The volume.
        name: What it will be called in a sample; "" for what is in none.
    """
    source, target = box.inside(shape)
    index = (*lead, *source)
    axes = [n for n, which in zip(array.shape, lead, strict=False) if isinstance(which, slice)]
    out = memory.empty((*axes, *box.size), array.dtype, name)
    if tuple(s.stop - s.start for s in source) != box.size:
        out[...] = fill
        out[..., target[0], target[1], target[2]] = array[index]
    elif isinstance(array, LazyArray):
        array.read(index, out)
    else:
        out[...] = array[index]
    return out
