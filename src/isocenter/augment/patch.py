"""Patch: a piece of a case in memory, as transforms take and give it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import reorder_along
from isocenter.model.grid import Grid

AXES = ("R", "A", "S")
"""Anatomical axes, in the order of RAS+ millimetres."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Patch:
    """Normalised image, masks, boxes and label states on one small grid.

    Args:
        image: float32 (C, K, J, I), normalised.
        valid: bool (K, J, I), False where there is padding.
        affine: float64 (4, 4), of the patch: takes (i, j, k, 1) to RAS+ mm.
        mask: (K, J, I) label values, or (L, K, J, I) with a plane per label in the order of the values.
        boxes: float64 (N, 6) RAS+ mm: lo xyz, hi xyz.
        boxes_voxel: int32 (N, 6), half-open, in voxels of the patch, not cut off at its border: lo kji, hi
            kji.
        box_labels: int64 (N,) label values.
        labels: int8 (L,) in the order of the values: 1 positive, 0 negative, -1 unknown.
        label_values: Value of each label, in the order of the values.
        background: Per channel: the value of what is not there.
        centre: Per channel: the value that contrast leaves alone.
        span: Per channel: the width of what counts as the range [0, 1].
        known: bool (K, J, I), or (L, K, J, I) with a plane per label: False where it is not known what is there. None:
            all is known.
        soft: float32 (L, K, J, I): how sure the consensus of several raters is of each label.
        instances: (K, J, I) numbers of lesions.
        points: float64 (N, 3) RAS+ mm, landmarks of any kind; they may lie outside.
        no_signal: Per channel: the value of no signal, where the image is a magnitude (of MR), the noise of which is
            Rician; None where noise is Gaussian. Empty: of every channel it is Gaussian.
        present: Per channel: whether the case has it; one that it lacks is background, and stays so. Empty: it has all.
    """

    image: NDArray[np.float32]
    valid: NDArray[np.bool_]
    affine: NDArray[np.float64]
    mask: NDArray[Any] | None
    boxes: NDArray[np.float64]
    boxes_voxel: NDArray[np.int32]
    box_labels: NDArray[np.int64]
    labels: NDArray[np.int8]
    label_values: dict[str, int]
    background: tuple[float, ...]
    centre: tuple[float, ...]
    span: tuple[float, ...]
    known: NDArray[np.bool_] | None = None
    soft: NDArray[np.float32] | None = None
    instances: NDArray[Any] | None = None
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    no_signal: tuple[float | None, ...] = ()
    present: tuple[bool, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, J, I)."""
        k, j, i = self.valid.shape
        return k, j, i


def array_axes(affine: NDArray[np.float64]) -> dict[str, int]:
    """The array axis (0 for k, 1 for j, 2 for i) of each anatomical axis, so that the three together are nearest."""
    k, j, i = reorder_along(Grid((1, 1, 1), affine), np.eye(3)).order
    return dict(zip(AXES, (i, j, k), strict=True))
