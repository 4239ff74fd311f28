"""Samples as JAX arrays, without PyTorch."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from isocenter.loading.epochs import PlainEpochs
from isocenter.loading.samples import Samples


class JaxDataset(PlainEpochs):
    """A sequence of samples, which is also a source for `grain.MapDataset.source`.

    The axes are those of the store, channels first (C, K, J, I). What JAX would cut to 32 bits (the affine and boxes in
    millimetres, unless `jax_enable_x64` is set) stays a NumPy array, which JAX takes as well.

    Args:
        samples: What is drawn from.
    """

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.samples.sample(index, self.epoch)
        return {name: _array(value) for name, value in sample.items()}


def wrap(samples: Samples) -> JaxDataset:
    """A data set of JAX arrays."""
    return JaxDataset(samples)


def _array(value: Any) -> Any:
    is_held = isinstance(value, np.ndarray) and jax.dtypes.canonicalize_dtype(value.dtype) == value.dtype
    return jax.numpy.asarray(value) if is_held else value
