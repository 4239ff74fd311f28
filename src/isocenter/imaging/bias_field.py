"""Bias field: the slow change of brightness that MR coils leave in an image, estimated and divided out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.base.plugins import Plugins
from isocenter.imaging.statistics import measure
from isocenter.model.reasons import because
from isocenter.model.volume import Volume

# The field is smooth, so it is estimated on voxels of about this size, as many as there are of them at least.
_COARSE_MM = 4.0
_FEWEST_VOXELS = 16
# Fewer voxels of foreground, among those that are looked at, say nothing of a field.
_LEAST_FOREGROUND = 64


class BiasField(Protocol):
    """A method that estimates a bias field, as a plain module.

    Contract:
        * The field is that of the whole image (K, J, I) as the natural logarithm of a factor, float32.
        * The same image gives the same field, bit by bit, whatever the number of threads or processors.
        * The arrays that it is given stay as they are.
    """

    def log_field(
        self,
        array: NDArray[np.float32],
        mask: NDArray[np.bool_],
        spacing_mm: tuple[float, float, float],
        steps: tuple[int, int, int],
    ) -> NDArray[np.float32]:
        """The logarithm of the field.

        Args:
            array: The image (K, J, I).
            mask: The foreground, from which it is estimated.
            spacing_mm: Of the voxels (k, j, i).
            steps: How many voxels along each axis are one where it is estimated.
        """


BIAS_FIELDS: Plugins[BiasField] = Plugins("isocenter.imaging.bias_fields")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Corrected:
    """An image without its bias field: float32 (K, J, I), and the lowest and highest factor in its foreground."""

    array: NDArray[np.float32]
    low: float
    high: float


def correct(volume: Volume, method: str) -> Volume:
    """The volume without its bias field, float32; what was done, or could not be, is one of its issues.

    The field's geometric mean over the foreground is 1, so that the image stays as bright as it was. Padding stays
    what it was.

    Args:
        volume: An MR image.
        method: Name of the method, such as "n4".

    Raises:
        MissingExtra: the method's library is not installed.
    """
    estimator = BIAS_FIELDS.get(method)
    done = correct_array(volume.array, volume.valid, volume.grid.spacing_mm, estimator)
    if done is None:
        told = because("read/no-bias-field", target=volume.id)
        return replace(volume, issues=(*volume.issues, told))
    measured = f"{done.low:.3g} to {done.high:.3g}"
    told = because("read/bias-corrected", target=volume.id, measured=measured, unit="factor")
    return replace(
        volume,
        array=done.array,
        facts=None,
        issues=(*volume.issues, told),
        provenance={**volume.provenance, "bias_field": method},
    )


def correct_array(
    array: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    spacing_mm: tuple[float, ...],
    estimator: BiasField,
) -> Corrected | None:
    """An image (K, J, I) without its bias field; None where too little of it is foreground (Otsu's)."""
    threshold = measure(array, valid=valid, foreground="otsu").foreground.threshold
    # a voxel that is not positive has no logarithm
    mask = array > max(threshold, 0.0) if np.isfinite(threshold) else np.zeros(array.shape, np.bool_)
    if valid is not None:
        mask &= valid
    steps = steps_of(array.shape, spacing_mm)
    if np.count_nonzero(mask[tuple(slice(None, None, s) for s in steps)]) < _LEAST_FOREGROUND:
        return None
    out = array.astype(np.float32)
    k_mm, j_mm, i_mm = spacing_mm
    field = estimator.log_field(out, mask, (k_mm, j_mm, i_mm), steps)
    total = sum(float(plane[real].sum(dtype=np.float64)) for plane, real in zip(field, mask, strict=True))
    field -= np.float32(total / np.count_nonzero(mask))
    low, high = np.inf, -np.inf
    for k, real in enumerate(mask):
        factor = np.exp(field[k], out=field[k])
        if real.any():
            low, high = min(low, float(factor[real].min())), max(high, float(factor[real].max()))
        out[k] /= factor
    if valid is not None:
        out[~valid] = array[~valid]
    return Corrected(array=out, low=low, high=high)


def steps_of(shape: tuple[int, ...], spacing_mm: tuple[float, ...]) -> tuple[int, int, int]:
    """How many voxels along each axis are one where the field is estimated.

    >>> steps_of((30, 256, 256), (5.0, 1.0, 1.0)), steps_of((160, 24, 256), (1.0, 1.0, 1.0))
    ((1, 4, 4), (4, 1, 4))
    """
    k, j, i = (
        max(1, min(round(_COARSE_MM / spacing), count // _FEWEST_VOXELS))
        for count, spacing in zip(shape, spacing_mm, strict=True)
    )
    return k, j, i
