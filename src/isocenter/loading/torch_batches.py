"""Batches of PyTorch: how samples are put together, and how workers feed them."""

from __future__ import annotations

import gc
import math
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from isocenter.base.errors import ConfigError
from isocenter.loading import memory
from isocenter.loading.epochs import EpochOrder, HasEpochs
from isocenter.loading.order import Part
from isocenter.loading.turned import VOLUMES

_OF_BOXES = ("box", "point")
_NOWHERE: Mapping[str, Tensor] = MappingProxyType({})
# What NumPy calls the types of volumes.
_KINDS = {
    torch.float32: np.float32,
    torch.uint8: np.uint8,
    torch.bool: np.bool_,
    torch.int32: np.int32,
    torch.int64: np.int64,
}
Shapes: TypeAlias = dict[str, tuple[tuple[int, ...], torch.dtype]]
# What a box that is none has; its label is none of the labels.
_PADDING = {"box_labels": -1, "point_labels": -1}


class Source(HasEpochs, Protocol):
    """A data set that samples come from."""

    def __getitem__(self, index: int) -> dict[str, Any]: ...

    def underway(self) -> dict[int, int]:
        """By the id of its process, the sample that each worker is making."""


def stacked(batch: Sequence[Mapping[str, Any]], places: Mapping[str, Tensor] = _NOWHERE) -> dict[str, Any]:
    """Stack what has one shape in all samples; boxes always stay a list, so that a batch's type is always the same.

    Args:
        batch: The samples.
        places: What their arrays are to be part of, and mostly are already.
    """
    return {name: _together(name, [sample[name] for sample in batch], places.get(name)) for name in batch[0]}


def padded(batch: Sequence[Mapping[str, Any]], places: Mapping[str, Tensor] = _NOWHERE) -> dict[str, Any]:
    """Stack boxes and points as well, padded to the most of a sample; `box_counts` says how many each has."""
    out = stacked(batch, places)
    for name in [n for n in out if n.startswith(_OF_BOXES)]:
        out[name] = torch.nn.utils.rnn.pad_sequence(
            out[name], batch_first=True, padding_value=_PADDING.get(name, 0)
        )
    for kind, name in (("box_counts", "boxes"), ("point_counts", "points")):
        if name in out:
            out[kind] = torch.tensor([len(sample[name]) for sample in batch])
    return out


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
        collate: Callable[[Sequence[Mapping[str, Any]], Mapping[str, Tensor]], dict[str, Any]],
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
        known: Shapes = {}
        for number in range(first, len(self), step):
            at = number * self._batch_size
            indices = list(self.order.among(at, at + self._batch_size))
            places = {name: _new((len(indices), *shape), kind) for name, (shape, kind) in known.items()}
            batch = self._collate(self._made(indices, places), places)
            known = _shapes(batch) if self.data.samples.is_one_size else {}
            yield batch
            del batch, places  # so that the next one can have their memory
        self.order.end()

    def _made(self, indices: Sequence[int], places: Mapping[str, Tensor]) -> list[dict[str, Any]]:
        """The samples of a batch, their arrays where it has places for them."""
        tray = memory.Tray({name: place.numpy() for name, place in places.items()})
        out = []
        with memory.filling(tray):
            for number, index in enumerate(indices):
                tray.number = number
                out.append(self.data[index])
        return out


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


def _together(name: str, values: list[Any], place: Tensor | None) -> Any:
    is_stackable = isinstance(values[0], Tensor) and not name.startswith(_OF_BOXES)
    if not is_stackable or any(v.shape != values[0].shape or v.dtype != values[0].dtype for v in values):
        return values
    first = values[0]
    if place is None or place.shape != (len(values), *first.shape) or place.dtype != first.dtype:
        return torch.stack(values, out=_new((len(values), *first.shape), first.dtype))
    for number, value in enumerate(values):
        if value.data_ptr() != place[number].data_ptr():
            place[number] = value
    return place


def _shapes(batch: Mapping[str, Any]) -> Shapes:
    """Shape in a sample, and type, of what is large in a batch."""
    return {
        name: (tuple(value.shape[1:]), value.dtype)
        for name, value in batch.items()
        if name in VOLUMES and isinstance(value, Tensor)
    }


def _new(shape: tuple[int, ...], kind: torch.dtype) -> Tensor:
    """A tensor of any values; in a worker, in memory that the training process sees, so that nothing is copied again."""
    if get_worker_info() is None:
        is_known = kind in _KINDS
        return (
            torch.from_numpy(memory.empty(shape, _KINDS[kind]))
            if is_known
            else torch.empty(shape, dtype=kind)
        )
    none: Any = torch.empty(0, dtype=kind)
    storage = none._typed_storage()._new_shared(math.prod(shape))  # noqa: SLF001 - as PyTorch's own collate does
    out: Tensor = none.new(storage).resize_(*shape)
    return out
