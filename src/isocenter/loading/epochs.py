"""Epochs: what the data sets of all frameworks say of one in the same words, in which order and what was skipped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from isocenter.loading.order import Part
from isocenter.loading.passes import Resumed
from isocenter.loading.samples import Samples
from isocenter.loading.skips import Skip


class HasEpochs(Protocol):
    """A data set that draws samples for an epoch."""

    samples: Samples

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch."""


class EpochOrder:
    """The order of an epoch: of all samples, or of those of one of several training processes.

    Numbers to be looped over, and a `sampler` of PyTorch's `DataLoader` and of what is built like it.

    Args:
        data: The data set, which knows the epoch.
        part: Whose part of the epoch; `skip` is of the epoch that is begun first, others begin at their beginning.
        is_shuffled: Whether by lot, or by number.
    """

    def __init__(self, data: HasEpochs, part: Part, *, is_shuffled: bool) -> None:
        self._data = data
        self._part = part
        self._resumed = Resumed() if part.skip else None
        self._is_shuffled = is_shuffled

    @property
    def part(self) -> Part:
        """The part of the epoch that it is now."""
        first = None if self._resumed is None else self._resumed.epoch
        return self._part if first in {None, self._data.epoch} else replace(self._part, skip=0)

    def begin(self, *, is_told: bool = True) -> None:
        """Take the epoch as it is now for the one that `skip` is of, if it is the first; warn of one that is repeated."""
        if self._resumed is not None:
            self._resumed.begin(self._data.epoch)
        if is_told:
            self._data.samples.begin(self._data.epoch, self.part, is_shuffled=self._is_shuffled)

    def end(self) -> None:
        """Note that all of the part was seen."""
        self._data.samples.end(self._data.epoch, self.part, is_shuffled=self._is_shuffled)

    def set_epoch(self, epoch: int) -> None:
        """As that of the data set, for training loops that call it of samplers."""
        self._data.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.part.places(len(self._data.samples)))

    def __iter__(self) -> Iterator[int]:
        self.begin()
        yield from self.among(0, len(self))
        self.end()

    def among(self, low: int, high: int) -> Iterator[int]:
        """The samples from one place of the part to another."""
        samples = self._data.samples
        places = self.part.places(len(samples))[low:high]
        return samples.walk(places, self._data.epoch, is_shuffled=self._is_shuffled)


class Epochs(ABC):
    """What a data set of any framework has beside its samples."""

    samples: Samples

    @property
    @abstractmethod
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""

    @abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, in running workers too."""

    @property
    def skipped(self) -> tuple[Skip, ...]:
        """Samples that could not be read and whose places others took (`errors="skip"`), in all workers so far."""
        return self.samples.skipped

    def order(
        self,
        *,
        shuffle: bool = True,
        rank: int = 0,
        world: int = 1,
        skip: int = 0,
        is_even: bool = False,
    ) -> EpochOrder:
        """The order of an epoch, a `sampler` of a `DataLoader`; see `Part` for ranks and going on in the middle."""
        part = Part(rank=rank, world=world, skip=skip, is_even=is_even)
        return EpochOrder(self, part, is_shuffled=shuffle)


class PlainEpochs(Epochs):
    """Epochs of a data set that has no workers of its own.

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

    def __len__(self) -> int:
        return len(self.samples)
