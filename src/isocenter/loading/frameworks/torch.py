"""Samples as PyTorch tensors: map-style for any `DataLoader`, as a stream of batches, or with a loader of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from isocenter.loading.epochs import Epochs
from isocenter.loading.order import Part
from isocenter.loading.samples import Samples
from isocenter.loading.torch_batches import Loader, Stream, padded, stacked

_DESKS = 256


class TorchDataset(Epochs, Dataset[dict[str, Any]]):
    """A map-style data set; needs no `worker_init_fn`, as chance depends on seed, epoch and index alone.

    `data.loader(batch_size=2, workers=4)` feeds batches. Or use `DataLoader(data, collate_fn=data.collate,
    sampler=data.order())` with any number of workers and any way of starting them. Call `set_epoch` before each epoch.

    Args:
        samples: What is drawn from.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        # In shared memory: the epoch, so that workers which outlive it see the next one; and of each worker its process
        # and the sample that it is making, plus 1, so that one which dies or hangs is named.
        self._shared = torch.zeros((1 + _DESKS, 2), dtype=torch.int64)
        self._shared.share_memory_()  # type: ignore[no-untyped-call]

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""
        return int(self._shared[0, 0])

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, in running workers too."""
        self._shared[0, 0] = epoch

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        info = get_worker_info()
        desk = None if info is None else self._shared[1 + info.id % _DESKS]
        if desk is not None:
            desk[0], desk[1] = os.getpid(), int(index) + 1
        sample = self.samples.sample(int(index), self.epoch)
        tensors = {name: _tensor(value) for name, value in sample.items()}
        if desk is not None:
            desk[1] = 0
        return tensors

    def underway(self) -> dict[int, int]:
        """By the id of its process, the sample that each worker is making, or was when it died."""
        return {int(pid): int(index) - 1 for pid, index in self._shared[1:].tolist() if index}

    def stream(
        self,
        batch_size: int,
        *,
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
        skip: int = 0,
        is_even: bool = False,
        drop_last: bool = False,
        pad_boxes: bool = False,
    ) -> Stream:
        """An iterable data set of batches, the same for any number of workers: `DataLoader(stream, batch_size=None)`."""
        part = Part(rank=rank, world=world, skip=skip, is_even=is_even)
        collate = padded if pad_boxes else stacked
        return Stream(self, batch_size, part, collate, is_shuffled=shuffle, drops_last=drop_last)

    def loader(
        self,
        batch_size: int,
        *,
        workers: int = 0,
        start: str | None = None,
        timeout_seconds: int = 600,
        prefetch: int = 2,
        pin_memory: bool = False,
        **stream: Any,
    ) -> Loader:
        """Batches, epoch by epoch: the same ones for any number of workers, and errors that name their sample.

        Args:
            batch_size: Samples of a batch.
            workers: Processes that make them; 0 makes them here.
            start: "fork", "spawn" or "forkserver"; None for Python's own way.
            timeout_seconds: A batch that takes longer is an error.
            prefetch: Batches that each worker makes ahead: memory is bound by workers x prefetch x bytes of a batch, and
                the store's `cache_bytes` per worker.
            pin_memory: Whether batches are put in page-locked memory.
            stream: Options of `stream`.
        """
        return Loader(
            self.stream(batch_size, **stream),
            workers=workers,
            start=start,
            timeout_seconds=timeout_seconds,
            prefetch=prefetch,
            pin_memory=pin_memory,
        )

    @staticmethod
    def collate(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack what has one shape in all samples; the rest (boxes, names, parameters) stays a list."""
        return stacked(batch)

    @staticmethod
    def collate_padded(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """As `collate`, with boxes stacked as well, padded with 0 to the most of a sample; `box_counts` says how many."""
        return padded(batch)


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
    if not value.flags.writeable:
        value = value.copy()
    return torch.from_numpy(np.ascontiguousarray(value))
