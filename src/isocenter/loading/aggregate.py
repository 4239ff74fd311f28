"""Aggregation: what a network says of the patches of a grid, put together to whole volumes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from isocenter.base.errors import ConfigError
from isocenter.loading.sampler import Grid, Triple, starts_on_grid
from isocenter.loading.samples import Samples

MODES = ("average", "crop")


@dataclass(slots=True, eq=False)
class _Open:
    """A volume that is being put together.

    Args:
        shape: Of the volume.
        size: Of its patches.
        starts: First voxels of the patches along each axis.
        whole: What is done, from plane 0 on.
        window: (C, n, J, I) of the planes that patches may still reach; its first is plane `first`.
        first: See above.
        seen: Patches that have come.
    """

    shape: Triple
    size: Triple
    starts: tuple[list[int], list[int], list[int]]
    whole: NDArray[Any] | None = None
    window: NDArray[Any] | None = None
    first: int = 0
    seen: set[tuple[int, ...]] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        """Whether every patch has come."""
        k, j, i = self.starts
        return len(self.seen) == len(k) * len(j) * len(i)


class Aggregator:
    """Puts the patches of `dataset(..., sampler="grid")` together, one volume at a time.

    Patches have the axes of the data set, (i, j, k) with MONAI and TorchIO; volumes are as they are stored, (k, j, i).
    What comes in the grid's order (no shuffling) is held as few planes as a patch is deep; each plane is done when no
    later patch reaches it, and `reduce` may make it small at once, e.g. label values of probabilities. Of padding
    nothing is kept.

    Args:
        data: The data set, or its `samples`.
        mode: "average": where patches overlap, their mean, summed in float64, so that equal values stay what they are;
            "crop": each voxel from the one patch in whose middle it lies most, for what cannot be averaged.
        reduce: Makes of (C, n, J, I) what is kept of n planes, whose last three axes stay what they are; None keeps all.
        dtype: Of what is given to `reduce`, or kept.

    Raises:
        ConfigError: the patches of the data set are no grid.
    """

    def __init__(
        self,
        data: Any,
        *,
        mode: str = "average",
        reduce: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        samples: Samples = getattr(data, "samples", data)
        if mode not in MODES:
            raise ConfigError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
        if not isinstance(samples.sampler, Grid) or samples.patch is None:
            raise ConfigError("only patches of sampler='grid' can be put together")
        self._samples = samples
        self._overlap = samples.sampler.overlap
        self._is_mean = mode == "average"
        self._reduce = reduce
        self._dtype = np.dtype(dtype)
        self._open: dict[str, _Open] = {}

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Cases of which some patches have come and others not."""
        return tuple(sorted(self._open))

    def add(self, predictions: Any, batch: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Take what was said of a batch, and give the volumes that it makes whole.

        Args:
            predictions: (B, C, k, j, i) or (B, k, j, i), one for each sample: an array, a tensor in main memory, or a list;
                (B, C, i, j, k) or (B, i, j, k) where the data set has its axes so.
            batch: The batch, of which `case` and `start` are read.

        Yields:
            A case and its volume (C, K, J, I), or (K, J, I).

        Raises:
            ConfigError: a patch is not of the grid, came before, or came out of order.
        """
        for case, start, prediction in zip(batch["case"], batch["start"], predictions, strict=True):
            k, j, i = (int(n) for n in start)
            whole = self.put(str(case), (k, j, i), np.asarray(prediction))
            if whole is not None:
                yield str(case), whole

    def put(self, case: str, start: Triple, patch: NDArray[Any]) -> NDArray[Any] | None:
        """Take one patch and its `start`, both with the axes of the data set; the whole volume where it was the last one."""
        if self._samples.is_turned:
            start, patch = (start[2], start[1], start[0]), patch.swapaxes(-3, -1)
        state = self._open.get(case) or self._begin(case)
        values = patch if patch.ndim == 4 else patch[None]
        if values.ndim != 4 or values.shape[1:] != state.size:
            raise ConfigError(
                f"case {case}: a patch is (C, {', '.join(map(str, state.size))}), not {patch.shape}"
            )
        own = [self._own(state, axis, start[axis], case) for axis in range(3)]
        row = state.starts[0].index(start[0]) * len(state.starts[1]) * len(state.starts[2])
        if start in state.seen or not row <= len(state.seen) < row + len(state.starts[1]) * len(
            state.starts[2]
        ):
            raise ConfigError(
                f"case {case}: the patch at {start} came before, or not in the order of the grid"
            )
        self._flush(state, max(start[0], 0))
        self._lay(state, start, values, own)
        state.seen.add(start)
        if not state.is_whole:
            return None
        self._flush(state, state.shape[0])
        del self._open[case]
        assert state.whole is not None
        return state.whole if patch.ndim == 4 or self._reduce is not None else state.whole[0]

    def _begin(self, case: str) -> _Open:
        ids = self._samples.selection.columns["ids"]
        number = int(np.searchsorted(ids, case.encode()))
        if number == len(ids) or ids[number] != case.encode():
            raise ConfigError(f"case {case} is not one of the data set")
        shape = self._samples.shape_of(number)
        size = self._samples.size_in(shape)
        k, j, i = (starts_on_grid(n, p, o) for n, p, o in zip(shape, size, self._overlap, strict=True))
        self._open[case] = _Open(shape, size, (k, j, i))
        return self._open[case]

    def _own(self, state: _Open, axis: int, start: int, case: str) -> tuple[int, int]:
        """From where to where along an axis a patch counts, in voxels of the volume."""
        starts, size, shape = state.starts[axis], state.size[axis], state.shape[axis]
        if start not in starts:
            raise ConfigError(f"case {case}: no patch of the grid begins at {start} along axis {axis}")
        if self._is_mean:
            return max(start, 0), min(start + size, shape)
        at = starts.index(start)
        low = (starts[at - 1] + size + start) // 2 if at else 0
        high = (start + size + starts[at + 1]) // 2 if at + 1 < len(starts) else shape
        return low, high

    def _lay(self, state: _Open, start: Triple, values: NDArray[Any], own: Sequence[tuple[int, int]]) -> None:
        kind = np.float64 if self._is_mean else self._dtype
        depth = min(state.size[0], state.shape[0])
        if state.window is None:
            state.window = np.zeros((values.shape[0], depth, *state.shape[1:]), kind)
        if values.shape[0] != state.window.shape[0]:
            raise ConfigError(f"patches of {state.window.shape[0]} and of {values.shape[0]} channels")
        shift = (state.first, 0, 0)
        target = tuple(slice(a - f, b - f) for (a, b), f in zip(own, shift, strict=True))
        source = tuple(slice(a - s, b - s) for (a, b), s in zip(own, start, strict=True))
        if self._is_mean:
            state.window[(slice(None), *target)] += values[(slice(None), *source)]
        else:
            state.window[(slice(None), *target)] = values[(slice(None), *source)]

    def _flush(self, state: _Open, before: int) -> None:
        """Finish the planes that no later patch reaches."""
        count = before - state.first
        if count <= 0 or state.window is None:
            return
        done = state.window[:, :count]
        if self._is_mean:
            done = done / self._counts(state, slice(state.first, before))
        done = done.astype(self._dtype, copy=False)
        kept = np.asarray(done if self._reduce is None else self._reduce(done))
        if kept.shape[-3:] != done.shape[-3:]:
            raise ConfigError(
                f"reduce made {kept.shape} of {done.shape}: the last three axes stay what they are"
            )
        if state.whole is None:
            state.whole = np.empty((*kept.shape[:-3], *state.shape), kept.dtype)
        state.whole[..., state.first : before, :, :] = kept
        rest = state.window.shape[1] - count
        state.window[:, :rest] = state.window[:, count:]
        state.window[:, rest:] = 0
        state.first = before

    def _counts(self, state: _Open, planes: slice) -> NDArray[np.float64]:
        """How many patches reach each voxel of some planes: a product, as a grid is one of three axes."""
        axes = []
        for starts, size, shape in zip(state.starts, state.size, state.shape, strict=True):
            count = np.zeros(shape)
            for start in starts:
                count[max(start, 0) : start + size] += 1
            axes.append(count)
        k, j, i = axes
        return k[planes, None, None] * j[:, None] * i
