"""Samples as PyTorch tensors: a map-style data set for `torch.utils.data.DataLoader`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from isocenter.loading.samples import Samples


class TorchDataset(Dataset[dict[str, Any]]):
    """A map-style data set; needs no `worker_init_fn`, as chance depends on seed, epoch and index alone.

    Use it with `DataLoader(data, collate_fn=data.collate)`, with any number of workers and any way of
    starting them, and call `set_epoch` before each epoch.

    Args:
        samples: What is drawn from.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        # In shared memory, so that workers which outlive an epoch see the next one.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, in running workers too."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.samples.sample(int(index), int(self._epoch))
        return {name: _tensor(value) for name, value in sample.items()}

    @staticmethod
    def collate(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack what has one shape in all samples; the rest (boxes, names, parameters) stays a list."""
        return {name: _together(name, [sample[name] for sample in batch]) for name in batch[0]}


def wrap(samples: Samples) -> TorchDataset:
    """A data set of PyTorch tensors."""
    return TorchDataset(samples)


def _tensor(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype == np.uint16:  # PyTorch stores it but can hardly compute with it
        value = value.astype(np.int32)
    if value.dtype == np.uint32:
        value = value.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(value))


def _together(name: str, values: list[Any]) -> Any:
    """One tensor, or a list: boxes always as a list, so that a batch's type does not depend on its content."""
    is_stackable = isinstance(values[0], torch.Tensor) and not name.startswith("box")
    if is_stackable and all(v.shape == values[0].shape for v in values):
        return torch.stack(values)
    return values
