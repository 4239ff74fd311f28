"""Landmarks: intensities of MR brought onto one standard scale, piecewise between percentiles (Nyúl and Udupa).

L. G. Nyúl, J. K. Udupa, "On standardizing the MR image intensity scale", Magn Reson Med 42:1072-1081 (1999); L. G.
Nyúl, J. K. Udupa, X. Zhang, "New variants of a method of MRI scale standardization", IEEE Trans Med Imaging 19:143-150
(2000), there with deciles. The landmarks of an image are percentile 1, the deciles and percentile 99 of its foreground;
percentile 1 becomes 0 on the standard scale, percentile 99 becomes 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

PERCENTS = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
"""Percentiles of the foreground that are landmarks, ascending."""

SCALE = (0.0, 100.0)
"""Where the first and the last landmark lie on the standard scale."""


def is_usable(landmarks: Sequence[float]) -> bool:
    """Whether landmarks span a range: an image of one value has no scale that could be standardised.

    >>> is_usable([3.0, 3.0, 4.0]), is_usable([3.0, 3.0, 3.0]), is_usable([])
    (True, False, False)
    """
    return len(landmarks) > 1 and bool(np.isfinite(landmarks).all()) and landmarks[0] < landmarks[-1]


def fit(images: Iterable[Sequence[float]]) -> tuple[float, ...]:
    """The standard scale: where the landmarks of some training images lie on average, each image counting alike.

    Args:
        images: The landmarks of each image, of which each `is_usable`.

    Returns:
        A place for each landmark, the first and the last those of `SCALE`; empty where there is no image.
    """
    places = []
    for landmarks in images:
        own = np.asarray(landmarks, np.float64)
        places.append(SCALE[0] + (own - own[0]) / (own[-1] - own[0]) * (SCALE[1] - SCALE[0]))
    return tuple(float(x) for x in np.mean(np.array(places), axis=0)) if places else ()


def to_scale(
    array: NDArray[Any], landmarks: Sequence[float], standard: Sequence[float]
) -> NDArray[np.float32]:
    """Values on the standard scale: linear between landmarks, and beyond them as between the two outermost.

    Landmarks that coincide in the image (few grey levels) are one landmark, in the middle of their places.

    Args:
        array: Values of any shape.
        landmarks: The image's own, of which `is_usable` is true.
        standard: What `fit` made of the training images.
    """
    own, places = distinct(landmarks, standard)
    values = np.ascontiguousarray(array).reshape(-1)
    out = np.empty(values.shape, np.float32)
    _map(values, own, places, np.diff(places) / np.diff(own), out)
    return out.reshape(array.shape)


def distinct(
    landmarks: Sequence[float], standard: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Landmarks without those that coincide, and their places on the standard scale."""
    own, groups = np.unique(np.asarray(landmarks, np.float64), return_inverse=True)
    places = np.bincount(groups, weights=np.asarray(standard, np.float64)) / np.bincount(groups)
    return own, places


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _map(
    values: NDArray[Any],
    own: NDArray[np.float64],
    places: NDArray[np.float64],
    slopes: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    for n in range(values.size):
        value = np.float64(values[n])
        segment = 0
        while segment < slopes.size - 1 and value >= own[segment + 1]:
            segment += 1
        out[n] = places[segment] + (value - own[segment]) * slopes[segment]
