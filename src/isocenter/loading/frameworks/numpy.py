"""Samples as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isocenter.loading.order import Part
from isocenter.loading.samples import Samples
from isocenter.loading.skips import Skip


class NumpyDataset:
    """A sequence of samples.

    Args:
        samples: What is drawn from.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch."""
        self._epoch = epoch

    @property
    def skipped(self) -> tuple[Skip, ...]:
        """Samples that could not be read and whose places others took (`errors="skip"`)."""
        return self.samples.skipped

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.samples.sample(index, self._epoch)

    def stream(
        self,
        *,
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
        skip: int = 0,
        is_even: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The samples of an epoch one after the other; see `Part` for ranks and going on in the middle."""
        part = Part(rank=rank, world=world, skip=skip, is_even=is_even)
        for index in self.samples.indices(self._epoch, part, is_shuffled=shuffle):
            yield self[index]


def wrap(samples: Samples) -> NumpyDataset:
    """A data set of NumPy arrays."""
    return NumpyDataset(samples)
