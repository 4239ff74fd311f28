"""Samples as NumPy arrays."""

from __future__ import annotations

from typing import Any

from isocenter.loading.samples import Samples


class NumpyDataset:
    """A sequence of samples.

    Args:
        samples: What is drawn from.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.samples.sample(index, self._epoch)


def wrap(samples: Samples) -> NumpyDataset:
    """A data set of NumPy arrays."""
    return NumpyDataset(samples)
