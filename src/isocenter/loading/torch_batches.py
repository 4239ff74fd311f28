"""Batches of PyTorch: how samples are put together, in which order, and how workers feed them."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, IterableDataset, Sampler, get_worker_info

from isocenter.base.errors import ConfigError
from isocenter.loading.order import Part
from isocenter.loading.passes import Resumed
from isocenter.loading.samples import Samples

_OF_BOXES = ("box", "point")
# What a box that is none has; its label is none of the labels.
_PADDING = {"box_labels": -1, "point_labels": -1}


class Source(Protocol):
    """A data set that samples come from."""

    samples: Samples

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""

    def __getitem__(self, index: int) -> dict[str, Any]: ...

    def underway(self) -> dict[int, int]:
        """By the id of its process, the sample that each worker is making."""


def stacked(batch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Stack what has one shape in all samples; boxes always stay a list, so that a batch's type is always the same."""
    return {name: _together(name, [sample[name] for sample in batch]) for name in batch[0]}


def padded(batch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Stack boxes and points as well, padded to the most of a sample; `box_counts` says how many each has."""
    out = stacked(batch)
    for name in [n for n in out if n.startswith(_OF_BOXES)]:
        out[name] = torch.nn.utils.rnn.pad_sequence(
            out[name], batch_first=True, padding_value=_PADDING.get(name, 0)
        )
    for kind, name in (("box_counts", "boxes"), ("point_counts", "points")):
        if name in out:
            out[kind] = torch.tensor([len(sample[name]) for sample in batch])
    return out


class EpochOrder(Sampler[int]):
    """The order of an epoch: of all samples, or of those of one of several training processes.

    Args:
        data: The data set, which knows the epoch.
        part: Whose part of the epoch; `skip` is of the epoch that is begun first, others begin at their beginning.
        is_shuffled: Whether by lot, or by number.
    """

    def __init__(self, data: Source, part: Part, *, is_shuffled: bool) -> None:
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
        self._data.set_epoch(epoch)  # type: ignore[attr-defined]

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


class Stream(IterableDataset[dict[str, Any]]):
    """Batches one after the other; workers make them in turn, so that their number does not show.

    Args:
        data: The data set.
        batch_size: Samples of a batch.
        part: Whose part of the epoch.
        collate: Makes a batch of samples.
        is_shuffled: Whether samples come by lot.
        drops_last: Whether a last batch of fewer samples is left out.
    """

    def __init__(
        self,
        data: Source,
        batch_size: int,
        part: Part,
        collate: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]],
        *,
        is_shuffled: bool,
        drops_last: bool,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size is at least 1, not {batch_size}")
        self.data = data
        self.order = EpochOrder(data, part, is_shuffled=is_shuffled)
        self._batch_size = batch_size
        self._collate = collate
        self._drops_last = drops_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.order), self._batch_size)
        return whole + (0 if self._drops_last else bool(rest))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        self.order.begin(is_told=info is None)
        for number in range(first, len(self), step):
            at = number * self._batch_size
            indices = self.order.among(at, at + self._batch_size)
            yield self._collate([self.data[index] for index in indices])
        self.order.end()


class Loader:
    """Feeds the batches of a stream, and says of an error which sample it struck.

    Args:
        stream: The batches.
        workers: Processes that make them; 0 makes them here.
        start: How they are started; None for Python's own way.
        timeout_seconds: A batch that takes longer is an error.
        prefetch: Batches that each makes ahead.
        pin_memory: Whether they are put in page-locked memory.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        workers: int,
        start: str | None,
        timeout_seconds: int,
        prefetch: int,
        pin_memory: bool,
    ) -> None:
        self._stream = stream
        self._seconds = timeout_seconds
        options: dict[str, Any] = {}
        if workers:
            options = {
                "prefetch_factor": prefetch,
                "worker_init_fn": _leave_alone,
                "multiprocessing_context": start,
                "persistent_workers": True,
            }
        self._loader: DataLoader[Any] = DataLoader(
            stream,
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=workers,
            pin_memory=pin_memory,
            **options,
        )

    def __len__(self) -> int:
        return len(self._stream)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        data = self._stream.data
        before = len(data.samples.skipped)
        self._stream.order.begin()
        try:
            yield from self._watched()
        except RuntimeError as error:
            self._stop()
            if str(error).startswith("DataLoader "):
                raise RuntimeError(f"{error}; {_at_work(data, str(error))}") from error
            raise
        self._stream.order.end()
        new = data.samples.skipped[before:]
        if new:
            last = f"case {new[-1].case}: {new[-1].reason}"
            warnings.warn(
                f"{len(new)} samples could not be read and others took their places; {last}", stacklevel=2
            )

    def _watched(self) -> Iterator[dict[str, Any]]:
        """The batches of an epoch.

        PyTorch tells of a worker's death by a signal, which raises wherever the training process happens to be; so its
        list of workers is taken from it, and whether they live is looked at while a batch is waited for.
        """
        running: Any = iter(self._loader)
        if getattr(running, "_worker_pids_set", False):
            torch._C._remove_worker_pids(id(running))  # noqa: SLF001 - as PyTorch itself does at the end
            running._worker_pids_set = False  # noqa: SLF001
            running._try_get_data = _Patience(running, self._seconds)  # noqa: SLF001
        yield from running

    def _stop(self) -> None:
        """End the workers after an error."""
        running, self._loader._iterator = self._loader._iterator, None  # noqa: SLF001 - it has no other way
        stop = getattr(running, "_shutdown_workers", None)
        if stop is not None:
            stop()


class _Patience:
    """Waits for a batch, second by second, each time looking whether the workers live, and not for ever.

    Args:
        running: PyTorch's own, which knows its workers; not held, as it would hold itself.
        seconds: How long is too long.
    """

    def __init__(self, running: Any, seconds: int) -> None:
        self._running = weakref.ref(running)
        self._seconds = seconds
        self._waited = 0

    def __call__(self) -> tuple[bool, Any]:
        try:
            is_there, batch = self._look()
        except (OSError, EOFError):  # the batch of a worker that has just died: the next look finds it dead
            is_there, batch = self._look()
        self._waited = 0 if is_there else self._waited + 1
        if self._waited >= self._seconds:
            raise RuntimeError(f"DataLoader timed out after {self._seconds} seconds")
        return is_there, batch

    def _look(self) -> tuple[bool, Any]:
        running: Any = self._running()
        found: tuple[bool, Any] = type(running)._try_get_data(running, 1)  # noqa: SLF001
        return found


def _leave_alone(_worker: int) -> None:
    """Keep a worker's collector away from what it has inherited: looking at an object copies its page."""
    gc.freeze()


def _at_work(data: Source, error: str) -> str:
    """What a worker that died, or else every one, was making."""
    underway = data.underway()
    own = {pid: index for pid, index in underway.items() if str(pid) in error} or underway
    ids, samples = data.samples.selection.ids, data.samples
    told = [
        f"sample {index} of epoch {data.epoch} (case {ids[samples.case_at(index)]})"
        for index in sorted(own.values())
    ]
    return f"at work was {', '.join(told) or 'no sample'}"


def _as_it_is(batch: Any) -> Any:
    return batch


def _together(name: str, values: list[Any]) -> Any:
    is_stackable = isinstance(values[0], torch.Tensor) and not name.startswith(_OF_BOXES)
    if not is_stackable or any(v.shape != values[0].shape or v.dtype != values[0].dtype for v in values):
        return values
    if get_worker_info() is None:
        return torch.stack(values)
    # straight into memory that the training process sees, as PyTorch's own collate does, not by one more copy
    first = values[0]
    storage = first._typed_storage()._new_shared(len(values) * first.numel(), device=first.device)  # noqa: SLF001
    out = first.new(storage).resize_(len(values), *first.shape)
    return torch.stack(values, out=out)
