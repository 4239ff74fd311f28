"""Slices: from a slice or voxel of a packed case or of a stack back to the object, file and frame it came from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.base.workspace import Workspace
from isocenter.model.grid import Grid
from isocenter.model.rows import FileRow, PlannedCase, Stack
from isocenter.stores.store import Store

# A plane this near to a slice, in slices, is that slice.
_SAME_SLICES = 1e-3
# Planes whose normals differ by more (cosine) cut across each other.
_PARALLEL = 1 - 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSource:
    """One slice that was read: which of its stack, which object, file and frame, and where it lies.

    Args:
        index: Its number in the stack, from 0.
        instance: Pseudonym of its SOP instance, "" where there is none.
        path: Its file below the source's folder; of an identifying text.
        frame: Its frame in the file, from 0.
        position_mm: Its distance along the stack's normal.
    """

    index: int
    instance: str
    path: str
    frame: int
    position_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceTrace:
    """Where one slice or voxel came from.

    Args:
        target: The case or stack.
        at: The slice (k) or the voxel (k, j, i) of the array, from 0.
        shape: (K, J, I) of the array.
        place_mm: Where the centre of the voxel, or of the slice's first voxel, is in RAS+.
        stack: The stack it came from.
        is_synthetic: Whether nobody acquired the slice.
        sources: The slice it lies in, or the two it was interpolated from; none where a slice of the case
            cuts across those of the stack.
    """

    target: str
    at: tuple[int, ...]
    shape: tuple[int, ...]
    place_mm: tuple[float, ...]
    stack: str
    is_synthetic: bool
    sources: tuple[SliceSource, ...]

    def lines(self) -> tuple[str, ...]:
        """The trace as sentences."""
        what = f"slice {self.at[0]}" if len(self.at) == 1 else f"voxel {', '.join(map(str, self.at))}"
        size = " x ".join(map(str, self.shape))
        place = ", ".join(f"{v:.3f}" for v in self.place_mm)
        whose = "The centre of its first voxel" if len(self.at) == 1 else "Its centre"
        told = [f"{self.target}: {what} of {size}, counted from 0", f"{whose} is at ({place}) mm, RAS+."]
        if self.is_synthetic:
            told.append("Its slice is synthetic: nobody acquired it.")
        if not self.sources:
            told.append(f"It cuts across the slices of stack {self.stack}: ask for a voxel.")
            return tuple(told)
        how = "It lies between two slices" if len(self.sources) == 2 else "It comes from one slice"
        told.append(f"{how} of stack {self.stack}:")
        for source in self.sources:
            named = f"{source.instance}, " if source.instance else ""
            told.append(
                f"  slice {source.index}: {named}{source.path}, frame {source.frame}, "
                f"at {source.position_mm:.3f} mm along the normal"
            )
        return tuple(told)


def trace(workspace: str | os.PathLike[str], what: str, at: Sequence[int]) -> SliceTrace:
    """Trace a slice or a voxel of a packed case, or of a stack, to its file.

    This reads the index, which holds identifiers: what it tells is for people who may see them.

    Args:
        workspace: The folder of a run.
        what: Id of a case that was packed, or of a stack.
        at: Index (k,) of a slice or (k, j, i) of a voxel in the array, from 0.

    Raises:
        ConfigError: there is no such case, stack, slice or voxel.
        StaleArtefact: the workspace has not been indexed.
        StoreNotFound: it is a case, and nothing is packed.
    """
    place = Workspace(Path(workspace))
    stacks = {s.id: s for s in tables.read(place.table("index", "stacks"), Stack)}
    if what in stacks:
        stack = stacks[what]
        if not stack.affine or not stack.shape:
            raise ConfigError(f"where the slices of {what} lie is not known")
        _check(what, stack.shape, at)
        return _traced(place, what, at, stack, stack.grid, (at[0],))
    planned = {c.id: c for c in _planned(place)}
    if what not in planned:
        hint = did_you_mean(what, [*planned, *stacks])
        raise ConfigError(f"a slice is one of a case or of a stack, by its id, and {what!r} is none{hint}")
    store = Store(place.store)
    if what not in store:
        raise ConfigError(f"{what} is not packed; name one of its stacks")
    case, reference = store[what], store.manifest.task.reference
    stack = stacks[next(c.stack for c in planned[what].channels if c.name == reference)]
    _check(what, case.grid.shape, at)
    made = bool(case.slices) and case.slices[at[0]].is_synthetic
    return _traced(place, what, at, stack, case.grid, _around(stack, case.grid, at), is_synthetic=made)


def _check(what: str, shape: tuple[int, ...], at: Sequence[int]) -> None:
    if len(at) not in {1, 3}:
        raise ConfigError(f"a slice is one number (k), a voxel three (k, j, i), not {len(at)}")
    for name, n, count in zip("kji", at, shape, strict=False):
        if not 0 <= n < count:
            raise ConfigError(f"{name} of {what} goes from 0 to {count - 1}; there is no {n}")


def _planned(place: Workspace) -> list[PlannedCase]:
    if place.done("enrol") is None:
        return []
    return list(tables.read(place.table("enrol", "cases"), PlannedCase))


def _traced(
    place: Workspace,
    what: str,
    at: Sequence[int],
    stack: Stack,
    grid: Grid,
    around: tuple[int, ...],
    *,
    is_synthetic: bool = False,
) -> SliceTrace:
    paths = {f.file_id: f.path for f in tables.read(place.table("index", "files"), FileRow)}
    k, j, i = at if len(at) == 3 else (at[0], 0, 0)
    return SliceTrace(
        target=what,
        at=tuple(at),
        shape=grid.shape,
        place_mm=tuple(float(v) for v in grid.to_world(np.array([[i, j, k]], dtype=np.float64))[0]),
        stack=stack.id,
        is_synthetic=is_synthetic,
        sources=tuple(_source(stack, n, paths) for n in around),
    )


def _around(stack: Stack, grid: Grid, at: Sequence[int]) -> tuple[int, ...]:
    """The slice of a stack that a place of another grid lies in, or the two that it lies between."""
    own = stack.grid
    normal = _normal(own)
    if len(at) == 3:
        k, j, i = at
    elif abs(normal @ _normal(grid)) < _PARALLEL:
        return ()
    else:
        k, j, i = at[0], (grid.shape[1] - 1) // 2, (grid.shape[2] - 1) // 2
    point = grid.to_world(np.array([[i, j, k]], dtype=np.float64))[0]
    # the distance from the first slice: that is where the grid begins, be the slices evenly spaced or not
    distance = float(normal @ (point - own.affine[:3, 3]))
    places = _positions(stack) - _positions(stack)[0]
    slice_ = float(np.interp(distance, places, np.arange(len(places))))
    low, high = int(np.floor(slice_ + _SAME_SLICES)), int(np.ceil(slice_ - _SAME_SLICES))
    return (low,) if low == high else (low, high)


def _normal(grid: Grid) -> NDArray[np.float64]:
    """Unit normal of the planes, towards the next one."""
    normal = np.cross(grid.affine[:3, 0], grid.affine[:3, 1])
    normal /= np.linalg.norm(normal)
    return np.asarray(normal if normal @ grid.affine[:3, 2] >= 0 else -normal, dtype=np.float64)


def _positions(stack: Stack) -> NDArray[np.float64]:
    """Distances of the slices along the normal; of a file that holds a whole volume, those of its grid."""
    if stack.positions_mm:
        return np.array(stack.positions_mm, dtype=np.float64)
    return np.asarray(np.arange(stack.shape[0]) * stack.grid.slice_distance_mm, dtype=np.float64)


def _source(stack: Stack, n: int, paths: dict[str, str]) -> SliceSource:
    is_whole = len(stack.files) == 1 < stack.shape[0]  # one file that holds the volume
    at = 0 if is_whole else n
    return SliceSource(
        index=n,
        instance=stack.instances[at] if at < len(stack.instances) else "",
        path=paths[stack.files[at]],
        frame=stack.frames[at] * stack.shape[0] + n if is_whole else stack.frames[at],
        position_mm=float(_positions(stack)[n]),
    )
