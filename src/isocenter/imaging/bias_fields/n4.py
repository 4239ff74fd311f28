"""N4: nonparametric nonuniform intensity normalisation with a B-spline field (Tustison 2010), by SimpleITK.

N. J. Tustison et al., "N4ITK: improved N3 bias correction", IEEE Trans Med Imaging 29:1310-1320 (2010). Four levels of
at most 50 iterations, each of twice as many control points, as its authors' tools do by default.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK
from numpy.typing import NDArray

_ITERATIONS = (50, 50, 50, 50)
_ALONE = threading.Lock()


def log_field(
    array: NDArray[np.float32],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    steps: tuple[int, int, int],
) -> NDArray[np.float32]:
    """The logarithm of the field, evaluated for every voxel of the image."""
    is_plane = array.shape[0] == 1
    dimensions = 2 if is_plane else 3
    image = SimpleITK.GetImageFromArray(array[0] if is_plane else array)
    image.SetSpacing(spacing_mm[::-1][:dimensions])
    chosen = SimpleITK.GetImageFromArray((mask[0] if is_plane else mask).astype(np.uint8))
    chosen.CopyInformation(image)
    factors = list(steps[::-1][:dimensions])
    with _one_thread():
        n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(list(_ITERATIONS))
        n4.SetNumberOfThreads(1)
        n4.Execute(SimpleITK.Shrink(image, factors), SimpleITK.Shrink(chosen, factors))
        field = SimpleITK.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image))
    return np.ascontiguousarray(field.reshape(array.shape), np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for all of ITK: the sums of several would be rounded by how many there are."""
    with _ALONE:
        before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        try:
            yield
        finally:
            SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
