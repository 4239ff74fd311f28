"""Stacks: the frames of a series that share an orientation, in order along their normal.

Frames are told apart by orientation, matrix, pixel spacing and frame of reference, then by what repeats at
one position (acquisition, time, echo, b-value, kernel). The order is that of the projection of Image Position
on the normal of Image Orientation (PS3.3 C.7.6.2.1.1), never Instance Number; spacing comes from positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import grid_from_slices
from isocenter.stages.index.columns import Members, Rows

# Projection radiographs have no stack: every instance is an image of its own.
PROJECTIONS = {"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF", "US", "SC", "OT", "ES", "SM", "XC", "GM", "OP"}
_SAME_DIRECTION = 1e-3
# Two slices nearer than this (mm) lie at one position.
SAME_POSITION_MM = 1e-3

# What frames of one lattice share, each as it is or by what is told of it.
_LATTICE: dict[str, Callable[[Any], Any]] = {
    "rows": lambda v: v,
    "columns": lambda v: v,
    "pixel_spacing_mm": lambda v: tuple(round(n, 4) for n in v),
    "frame_of_reference_uid": lambda v: v,
    "photometric": lambda v: v,
    "samples": lambda v: v,
    "frames": lambda v: v > 1,
    "orientation": len,
    "image_type": lambda v: "LOCALIZER" in v,
    "modality": lambda v: v,
}
_DISCRIMINATORS = (
    "acquisition_number",
    "temporal_position",
    "echo_time_ms",
    "b_value",
    "inversion_time_ms",
    "convolution_kernel",
    "image_type",
    "contrast_agent",
    "kvp",
)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where a stack's voxels are; None and () where the headers do not say."""

    affine: NDArray[np.float64] | None
    positions_mm: tuple[float, ...] = ()
    slice_distance_mm: float | None = None
    residual_mm: float = 0.0
    shear_mm: float = 0.0


def separate(members: Members) -> list[Rows]:
    """The stacks of one series as rows of it, each in spatial order; the same for any order of the files."""
    numbers, uids = members.numbers, members.uids
    out: list[Rows] = []
    for lattice in _by_lattice(members, np.argsort(numbers, kind="stable")):
        if is_alone(members, lattice[0]):
            out.extend(lattice[n : n + 1] for n in range(len(lattice)))
        elif not _are_placed(members, lattice):
            out.append(lattice)
        else:
            out.extend(_by_repeats(members, lattice[np.argsort(_distances(members, lattice), kind="stable")]))
    return sorted(out, key=lambda s: (-len(s), numbers[s[0]], uids[s[0]] or ""))


def is_alone(members: Members, row: int) -> bool:
    """Whether an instance is an image of its own."""
    return members.value("modality", row) in PROJECTIONS or members.value("frames", row) > 1


def _by_lattice(members: Members, order: Rows) -> Iterator[Rows]:
    varying = [n for n in _LATTICE if not members.is_one(n)]
    if not varying:
        yield order
        return
    for kind in _split(order, [members.recoded(n, _LATTICE[n]) for n in varying]):
        yield from _by_direction(members, kind)


def _split(rows: Rows, columns: Sequence[NDArray[np.int32]]) -> list[Rows]:
    """Rows that agree in some columns, in the order in which their groups first occur."""
    groups = np.zeros(len(rows), dtype=np.int64)
    for codes in columns:
        own = codes[rows].astype(np.int64)
        groups = np.unique(groups * (int(own.max()) + 1) + own, return_inverse=True)[1]
    by_group = np.argsort(groups, kind="stable")
    parts = np.split(rows[by_group], np.flatnonzero(np.diff(groups[by_group])) + 1)
    starts = np.unique(groups, return_index=True)[1]
    return [parts[n] for n in np.argsort(starts)]


def _by_direction(members: Members, rows: Rows) -> list[Rows]:
    """Rows of one orientation each; the first row of a group stands for its direction."""
    codes = members.codes("orientation")
    found, starts = np.unique(codes[rows], return_index=True)
    if len(found) == 1 or not members.value("orientation", rows[0]):
        return [rows]
    group_of = np.zeros(int(found.max()) + 1, dtype=np.int32)
    towards, count = np.empty((len(found), 6)), 0
    for at in np.sort(starts):
        orientation = members.value("orientation", rows[at])
        near = np.abs(towards[:count] - orientation).max(axis=1) < _SAME_DIRECTION
        group = int(near.argmax()) if near.any() else count
        if group == count:
            towards[count] = orientation
            count += 1
        group_of[codes[rows[at]]] = group
    # codes of other rows of the series may lie beyond those of these rows
    return _split(rows, [group_of[np.minimum(codes, found.max())]])


@lru_cache(maxsize=4096)
def normal_of(orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """Unit normal of a plane from its six direction cosines."""
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    out: NDArray[np.float64] = normal / length if length else normal
    out.flags.writeable = False
    return out


def _are_placed(members: Members, rows: Rows) -> bool:
    orientations = members.distinct("orientation", rows)
    return all(orientations) and not bool(np.isnan(members.positions_mm[rows, 0]).any())


def _distances(members: Members, rows: Rows) -> NDArray[np.float64]:
    # not a matrix product: its last bit may depend on how many threads share it
    normal = normal_of(members.value("orientation", rows[0]))
    return np.asarray((members.positions_mm[rows] * normal).sum(axis=1))


def _by_repeats(members: Members, rows: Rows) -> list[Rows]:
    """Separate frames that share positions by the attribute, or the two, that leave no repeats; else keep them.

    Of several that do, the one that makes the fewest stacks is taken: some scanners number every slice as an
    acquisition of its own, which would shatter the stack.
    """
    if not _has_repeats(members, rows):
        return [rows]
    # what is the same everywhere tells nothing apart, neither alone nor beside another
    varying = [n for n in _DISCRIMINATORS if len(members.distinct(n, rows)) > 1]
    for how_many in (1, 2):
        tried = (_told_apart(members, rows, chosen) for chosen in combinations(varying, how_many))
        found = [groups for groups in tried if not any(_has_repeats(members, g) for g in groups)]
        if found:
            return min(found, key=len)
    return [rows]


def _told_apart(members: Members, rows: Rows, discriminators: Sequence[str]) -> list[Rows]:
    groups = _split(rows, [members.codes(n) for n in discriminators])
    return sorted(groups, key=lambda g: repr([members.value(n, g[0]) for n in discriminators]))


def _has_repeats(members: Members, rows: Rows) -> bool:
    if len(rows) < 2:
        return False
    return bool((np.diff(np.sort(_distances(members, rows))) < SAME_POSITION_MM).any())


def geometry_of(members: Members, rows: Rows) -> Geometry:
    """Affine and positions of a stack in spatial order."""
    first = members.row(rows[0])
    if first["affine"]:  # NIfTI, NRRD: the file says it
        return Geometry(np.array(first["affine"]).reshape(4, 4))
    if not _has_spacing(first) or not _are_placed(members, rows):
        return Geometry(_unit_affine(first) if first["modality"] in PROJECTIONS else None)
    points = members.positions_mm[rows]
    distances = _distances(members, rows)
    normal = normal_of(first["orientation"])
    if not normal.any():
        return Geometry(None)
    n = len(rows) - 1
    step = (points[-1] - points[0]) / n if n else normal * _thickness_mm(first)
    shape = (len(rows), first["rows"] or 0, first["columns"] or 0)
    across, down = first["orientation"][:3], first["orientation"][3:]
    grid = grid_from_slices(points[0], across, down, first["pixel_spacing_mm"], step, shape)
    expected = points[0] + np.arange(len(rows))[:, None] * step
    whole = points[-1] - points[0]
    return Geometry(
        grid.affine,
        tuple(distances.tolist()),
        _median(np.diff(distances)) if n else None,
        float(np.linalg.norm(points - expected, axis=1).max()),
        float(np.linalg.norm(whole - (whole @ normal) * normal)),
    )


def _median(values: NDArray[np.float64]) -> float:
    ordered = np.sort(values).tolist()
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _unit_affine(first: dict[str, Any]) -> NDArray[np.float64]:
    """Voxel sizes only: a radiograph says nothing about where in the patient it lies."""
    spacing = first["pixel_spacing_mm"] if _has_spacing(first) else (1.0, 1.0)
    return np.diag([spacing[1], spacing[0], 1.0, 1.0])


def _has_spacing(first: dict[str, Any]) -> bool:
    return len(first["pixel_spacing_mm"]) == 2 and all(s > 0 for s in first["pixel_spacing_mm"])


def _thickness_mm(first: dict[str, Any]) -> float:
    """Depth of a slice that stands alone; 1 mm where its header names none."""
    thickness = first["slice_thickness_mm"]
    return float(thickness) if thickness is not None and thickness > 0 else 1.0
