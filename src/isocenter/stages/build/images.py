"""The images of one case: read, clipped, and brought onto one canonical grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.files import Signature
from isocenter.formats.image import FORMATS
from isocenter.imaging.affine import MatchKind, Reorder, canonical, match
from isocenter.imaging.bias_field import correct
from isocenter.imaging.facts import facts_of
from isocenter.imaging.intensity import clip_counts
from isocenter.imaging.regular import rectangular, tilt_of
from isocenter.imaging.resample import BACKGROUNDS, resample_array, slices_onto, target_grid
from isocenter.imaging.taps import OVERSHOOTING
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import Slice, Volume
from isocenter.rules.engine import Engine
from isocenter.stages.build.options import Orientation, Standardise, TiltPolicy
from isocenter.stages.build.policies import evenly, tilt_issue
from isocenter.stages.build.uptake import with_uptake


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """Where a file is, its size and time when it was indexed, and the file beside it that holds its voxels."""

    path: str
    size: int
    mtime_ns: int
    beside: SourceFile | None = None

    @property
    def expected(self) -> Signature:
        """What the file has to be when it is read, and what is beside it."""
        return Signature(self.size, self.mtime_ns, None if self.beside is None else self.beside.expected)


@dataclass(slots=True, eq=False)
class Images:
    """The channels of one case on its grid."""

    grid: Grid
    arrays: dict[str, NDArray[Any]]
    units: dict[str, str]
    volumes: dict[str, Volume]
    reorder: Reorder
    valid: NDArray[np.bool_] | None
    slices: tuple[Slice, ...]
    clipped: dict[str, tuple[float, float]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def read_images(
    stacks: Mapping[str, Stack],
    files: Mapping[str, SourceFile],
    reference: str,
    options: Standardise,
    spacing_mm: tuple[float, ...],
    engine: Engine,
) -> Images:
    """Read every channel once, run the voxel rules on it, and bring it onto the reference's grid."""
    issues: list[Issue] = []
    volumes: dict[str, Volume] = {}
    clipped: dict[str, tuple[float, float]] = {}
    for name, stack in stacks.items():
        sources = [files[f] for f in stack.files]
        # the very files that are opened are compared with what was indexed
        volume = FORMATS.get(stack.format).read(
            stack, [Path(s.path) for s in sources], [s.expected for s in sources]
        )
        volume = with_uptake(volume, stack, options)
        told = engine.check(volume)  # on what was read, before a slice of ours is in it
        volume = evenly(volume, options)
        if volume.modality == "MR" and options.bias_field != "none":
            volume = correct(volume, options.bias_field)
        issues += [*volume.issues, *told]
        if volume.unit == "HU" and options.hu_range is not None:
            clipped[name] = _clip(volume, options.hu_range, issues)
        volumes[name] = volume
    reorder = _reorder(volumes[reference].grid, options)
    grid = _upright(volumes[reference], reorder, options, issues)
    grid = target_grid(grid, spacing_mm, options.align) if spacing_mm else grid
    arrays, valids = {}, []
    for name, volume in volumes.items():
        own = reorder if name == reference else None
        array, valid = onto(volume.array, volume.valid, volume.grid, volume.unit, grid, own, options)
        if name in clipped and options.hu_range is not None and options.kernel in OVERSHOOTING:
            _keep_in(options.hu_range, array, valid)
        arrays[name] = array
        valids.append(valid)
    return Images(
        grid=grid,
        arrays=arrays,
        units={n: v.unit for n, v in volumes.items()},
        volumes=volumes,
        reorder=reorder,
        valid=_all_valid(valids),
        slices=_slices(volumes[reference], reorder, grid, options),
        clipped=clipped,
        issues=issues,
    )


def _clip(volume: Volume, hu_range: tuple[int, ...], issues: list[Issue]) -> tuple[float, float]:
    """Clip in place; the shares below and above are recorded, always."""
    below, above = clip_slices(volume, hu_range[0], hu_range[1])
    size = volume.array.size if volume.valid is None else max(int(np.count_nonzero(volume.valid)), 1)
    if below or above:
        measured = f"{100 * below / size:.4f} below, {100 * above / size:.4f} above"
        issues.append(because("read/clipped", target=volume.id, measured=measured, unit="% of voxels"))
    return below / size, above / size


def clip_slices(volume: Volume, low: int, high: int) -> tuple[int, int]:
    """How many values are beyond the range; only slices that reading saw such a value in are gone through again."""
    facts = facts_of(volume)
    below = above = 0
    for k in np.flatnonzero((facts.minimum < low) | (facts.maximum > high)).tolist():
        valid = None if volume.valid is None else volume.valid[k]
        counts = clip_counts(volume.array[k], low, high, valid=valid)
        below, above = below + counts[0], above + counts[1]
        if valid is not None:  # padding is background, whatever real values are clipped to
            volume.array[k][~valid] = BACKGROUNDS["HU"]
    return below, above


def _keep_in(hu_range: tuple[int, ...], array: NDArray[Any], valid: NDArray[np.bool_] | None) -> None:
    """What a kernel made of values beyond the range, at edges of metal or bone, is brought back into it."""
    np.clip(array, hu_range[0], hu_range[1], out=array, where=True if valid is None else valid)


def _upright(volume: Volume, reorder: Reorder, options: Standardise, issues: list[Issue]) -> Grid:
    """The case's grid without the tilt of its slices where that is asked for; one resampling does it all."""
    axis = reorder.order.index(0)
    tilt = tilt_of(reorder.grid, axis) if options.tilt is TiltPolicy.RESAMPLE else 0.0
    if not tilt:
        return reorder.grid
    issues.append(tilt_issue(volume.id, tilt))
    return rectangular(reorder.grid, axis)


def _reorder(grid: Grid, options: Standardise) -> Reorder:
    if options.orientation is Orientation.CANONICAL and grid.is_oriented:
        return canonical(grid)
    return Reorder(source=grid, grid=grid, order=(0, 1, 2), flips=(False, False, False))


def onto(
    array: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    grid: Grid,
    unit: str,
    target: Grid,
    reorder: Reorder | None,
    options: Standardise,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """An array on the target grid: re-ordered where that is all it takes, resampled where it is not."""
    if reorder is None:
        found = match(target, grid)
        reorder = found.reorder if found.kind is not MatchKind.DIFFERENT else None
    if reorder is not None:
        array = reorder.apply(array)
        valid = None if valid is None else reorder.apply(valid)
        grid = reorder.grid
    if match(target, grid).kind in {MatchKind.EXACT, MatchKind.ROUNDING}:
        return array, valid
    return resample_array(
        array,
        grid,
        target,
        kernel=options.kernel,
        background=BACKGROUNDS.get(unit, 0.0),
        valid=valid,
        antialias=options.antialias,
    )


def _all_valid(valids: list[NDArray[np.bool_] | None]) -> NDArray[np.bool_] | None:
    known = [v for v in valids if v is not None and not v.all()]
    return np.ascontiguousarray(np.logical_and.reduce(known)) if known else None


def _slices(volume: Volume, reorder: Reorder, grid: Grid, options: Standardise) -> tuple[Slice, ...]:
    """The slice table along the packed k axis, whose first slice is at 0 mm."""
    rows = volume.slices[::-1] if reorder.flips[0] else volume.slices
    is_same = match(reorder.grid, grid).kind in {MatchKind.EXACT, MatchKind.ROUNDING}
    if rows and is_same and reorder.order[0] == 0:
        first, sign = rows[0].position_mm, -1 if reorder.flips[0] else 1
        return tuple(replace(r, position_mm=sign * (r.position_mm - first)) for r in rows)
    found = (
        slices_onto(volume.slices, volume.grid, grid, kernel=options.kernel, antialias=options.antialias)
        or (Slice(position_mm=0.0),) * grid.shape[0]
    )
    return tuple(replace(s, position_mm=k * grid.slice_distance_mm) for k, s in enumerate(found))
