"""Descriptor: what stands for an image when others that show the same are looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import canonical
from isocenter.imaging.area import area_mean
from isocenter.imaging.canonical_pixels import pixel_digest
from isocenter.imaging.spectrum import spectrum
from isocenter.model.grid import Grid

VERSION = 1
# Pixels of a picture: 24 along each side of a cube, 64 of a square.
PIXELS, PIXELS_OF_A_PLANE = 13824, 4096
# No grey of a picture gets more of the range than this many times its even share: noise in air is no anatomy.
_MOST_EVEN = 4.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Descriptor:
    """What stands for an image.

    Args:
        exact: Digest of its canonical pixels: equal for the same pixels in another order, slope or type; "" of an
            image with one value only.
        vector: float32 of unit length, zero of an image with nothing to see; what looks alike has a large product.
        picture: uint8 (K, J, I) of cubic pixels, as far as there are voxels, or (1, J, I) of an image of one plane:
            by which a likeness is made sure.
        extent_mm: Field of view along the picture's (k, j, i).
        version: Only descriptors of one version can be compared.
    """

    exact: str
    vector: NDArray[np.float32]
    picture: NDArray[np.uint8]
    extent_mm: tuple[float, float, float]
    version: int = VERSION

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to see."""
        return not self.vector.any()


def descriptor_of(values: NDArray[Any], grid: Grid, *, valid: NDArray[np.bool_] | None = None) -> Descriptor:
    """The descriptor of an image (K, J, I); padding, where `valid` is False, is left out of its picture.

    It depends on the order of values alone, not on their scale, and hardly on how finely they are sampled.
    """
    reorder = canonical(grid)
    wanted = picture_shape(reorder.grid.shape, reorder.grid.spacing_mm)
    stored = [0, 0, 0]
    for axis, before in enumerate(reorder.order):
        stored[before] = wanted[axis]
    means = area_mean(values, tuple(stored), valid=valid).transpose(reorder.order)
    picture = even(np.flip(means, tuple(a for a in range(3) if reorder.flips[a])))
    extents = [n * s for n, s in zip(reorder.grid.shape, reorder.grid.spacing_mm, strict=True)]
    # the axis of one plane comes first, whichever it is in the patient
    flat = next((a for a, n in enumerate(reorder.grid.shape) if n == 1), 0)
    axes = (flat, *(a for a in range(3) if a != flat))
    picture = np.ascontiguousarray(picture.transpose(axes))
    k, j, i = (float(extents[a]) for a in axes)
    return Descriptor(
        exact=pixel_digest(values, grid),
        vector=spectrum(picture, (k, j, i)),
        picture=picture,
        extent_mm=(k, j, i),
    )


def picture_shape(shape: tuple[int, ...], spacing_mm: tuple[float, ...]) -> tuple[int, int, int]:
    """Pixels of a picture along (k, j, i): cubic, and about as many as any other picture has.

    An axis that has fewer voxels than that keeps them, and the others have the more.

    >>> picture_shape((99, 512, 512), (3.0, 0.6, 0.6)), picture_shape((1, 2000, 2500), (1.0, 0.1, 0.1))
    ((23, 24, 24), (1, 57, 72))
    """
    extents = [n * s for n, s in zip(shape, spacing_mm, strict=True)]
    out, left = list(shape), float(PIXELS)
    todo = [a for a in range(3) if shape[a] > 1]
    if len(todo) < 3:
        left = float(PIXELS_OF_A_PLANE)
    while todo:
        side = math.prod(extents[a] / left ** (1 / len(todo)) for a in todo) ** (1 / len(todo))
        short = [a for a in todo if shape[a] <= extents[a] / side]
        if not short:
            for a in todo:
                out[a] = max(1, round(extents[a] / side))
            break
        left /= math.prod(shape[a] for a in short)
        todo = [a for a in todo if a not in short]
    return out[0], out[1], out[2]


def even(means: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Grey levels that are about equally frequent, so that neither window nor slope matters; 0 where all are equal."""
    low, high = (float(v) for v in np.percentile(means, [0.5, 99.5]))
    if not high - low > 1e-6 * max(abs(low), abs(high)):
        return np.zeros(means.shape, np.uint8)
    scaled = np.clip((means - low) / (high - low), 0, 1)
    counts, edges = np.histogram(scaled, 256, (0, 1))
    capped = np.minimum(counts, _MOST_EVEN * means.size / 256)
    steps = np.concatenate([[0.0], np.cumsum(capped)])
    return np.asarray(np.rint(255 * np.interp(scaled, edges, steps / steps[-1])), np.uint8)
