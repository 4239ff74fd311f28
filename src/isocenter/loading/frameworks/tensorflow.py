"""Samples as TensorFlow tensors: by index, or as a `tf.data.Dataset` with signatures."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import tensorflow as tf

from isocenter.loading.epochs import PlainEpochs
from isocenter.loading.samples import Samples
from isocenter.loading.turned import VOLUMES


class TensorflowDataset(PlainEpochs):
    """Samples by index, and `as_dataset()` for Keras and for loops of one's own.

    The axes are those of the store, channels first (C, K, J, I); TensorFlow's convolutions on a CPU take channels last,
    which is one `tf.transpose(image, [1, 2, 3, 0])`.

    Args:
        samples: What is drawn from.
    """

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, those of a `tf.data.Dataset` that is made already too."""
        super().set_epoch(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.samples.sample(index, self.epoch)
        return {n: tf.constant(v) if isinstance(v, np.ndarray) else v for n, v in sample.items()}

    def as_dataset(self, threads: int = 1) -> Any:
        """A `tf.data.Dataset` of dictionaries in the order of the indices; shuffle, batch and prefetch it as any other.

        `augmentation`, whose form differs from sample to sample, is not in it. Boxes differ in number:
        `padded_batch` takes them, or `ragged_batch`.

        Args:
            threads: How many samples are made at the same time; their order stays that of the indices.
        """
        drawn = _Drawn(self)
        types = {
            n: tf.as_dtype(v.dtype) if v.dtype.kind != "S" else tf.string for n, v in drawn.first.items()
        }
        shapes = {n: self._shape_of(n, v) for n, v in drawn.first.items()}

        def read(index: Any) -> dict[str, Any]:
            values = tf.numpy_function(drawn.arrays, [index], list(types.values()), stateful=True)
            return {n: tf.ensure_shape(v, shapes[n]) for n, v in zip(types, values, strict=True)}

        return tf.data.Dataset.range(len(self)).map(read, num_parallel_calls=threads, deterministic=True)

    def _shape_of(self, name: str, value: Any) -> list[int | None]:
        """Shape of an array in every sample, None along an axis that differs between samples."""
        shape: list[int | None] = list(value.shape)
        if name.startswith(("box", "point")):
            return [None, *shape[1:]]
        if name in VOLUMES:
            shape[-3:] = self.samples.patch or (None, None, None)
        return shape


class _Drawn:
    """Samples as lists of arrays, in the order of the names of the first."""

    def __init__(self, data: TensorflowDataset) -> None:
        self._data, self._own = data, threading.local()
        self.first = self._sample(0)

    def arrays(self, index: Any) -> list[Any]:
        """The arrays of one sample."""
        sample = self._sample(int(index))
        return [sample[name] for name in self.first]

    def _sample(self, index: int) -> dict[str, Any]:
        if not hasattr(self._own, "samples"):  # what they keep of cases seen is not shared between threads
            self._own.samples = copy.copy(self._data.samples)
        sample = self._own.samples.sample(index, self._data.epoch)
        sample.pop("augmentation")
        return {n: np.array(v.encode()) if isinstance(v, str) else np.asarray(v) for n, v in sample.items()}


def wrap(samples: Samples) -> TensorflowDataset:
    """A data set of TensorFlow tensors."""
    return TensorflowDataset(samples)
