"""Samples as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isocenter.loading.epochs import PlainEpochs
from isocenter.loading.samples import Samples


class NumpyDataset(PlainEpochs):
    """A sequence of samples.

    Args:
        samples: What is drawn from.
    """

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.samples.sample(index, self.epoch)

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
        for index in self.order(shuffle=shuffle, rank=rank, world=world, skip=skip, is_even=is_even):
            yield self[index]


def wrap(samples: Samples) -> NumpyDataset:
    """A data set of NumPy arrays."""
    return NumpyDataset(samples)
