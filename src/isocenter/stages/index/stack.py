"""Stacks: the frames of a series that share an orientation, in order along their normal.

Frames are told apart by orientation, matrix, pixel spacing and frame of reference, then by what repeats at
one position (acquisition, time, echo, b-value, kernel). The order is that of the projection of Image Position
on the normal of Image Orientation (PS3.3 C.7.6.2.1.1), never Instance Number; spacing comes from positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import grid_from_slices
from isocenter.model.rows import Instance

# Projection radiographs have no stack: every instance is an image of its own.
PROJECTIONS = {"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF", "US", "SC", "OT", "ES", "SM", "XC", "GM", "OP"}
_SAME_DIRECTION = 1e-3
# Two slices nearer than this (mm) lie at one position.
SAME_POSITION_MM = 1e-3

_DISCRIMINATORS: tuple[Callable[[Instance], object], ...] = (
    lambda r: r.acquisition_number,
    lambda r: r.temporal_position,
    lambda r: r.echo_time_ms,
    lambda r: r.b_value,
    lambda r: r.inversion_time_ms,
    lambda r: r.convolution_kernel,
    lambda r: r.image_type,
    lambda r: r.contrast_agent,
    lambda r: r.kvp,
)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where a stack's voxels are; None and () where the headers do not say."""

    affine: NDArray[np.float64] | None
    positions_mm: tuple[float, ...] = ()
    slice_distance_mm: float | None = None
    residual_mm: float = 0.0
    shear_mm: float = 0.0


def separate(rows: Sequence[Instance]) -> list[list[Instance]]:
    """The stacks of one series, each in spatial order; the same for any order of the rows."""
    ordered = sorted(rows, key=lambda r: (r.instance_number or 0, r.sop_instance_uid or "", r.file_id))
    out: list[list[Instance]] = []
    for lattice in _by_lattice(ordered):
        if _is_alone(lattice[0]):
            out.extend([row] for row in lattice)
        elif not all(r.position_mm and r.orientation for r in lattice):
            out.append(lattice)
        else:
            out.extend(_by_repeats(_sorted_along_normal(lattice)))
    return sorted(out, key=lambda s: (-len(s), s[0].instance_number or 0, s[0].sop_instance_uid or ""))


def _is_alone(row: Instance) -> bool:
    return row.modality in PROJECTIONS or row.frames > 1


def _by_lattice(rows: list[Instance]) -> list[list[Instance]]:
    kinds: dict[tuple[object, ...], list[Instance]] = {}
    for row in rows:
        key = (
            row.rows,
            row.columns,
            tuple(round(v, 4) for v in row.pixel_spacing_mm),
            row.frame_of_reference_uid,
            row.photometric,
            row.samples,
            row.frames > 1,
            len(row.orientation),
            "LOCALIZER" in row.image_type,
            row.modality,
        )
        kinds.setdefault(key, []).append(row)
    return [members for kind in kinds.values() for members in _by_direction(kind)]


def _by_direction(rows: list[Instance]) -> list[list[Instance]]:
    """Rows of one orientation each; the first row of a group stands for its direction."""
    if not rows[0].orientation:
        return [rows]
    groups: list[list[Instance]] = []
    towards = np.empty((len(rows), 6))
    for row in rows:
        near = np.abs(towards[: len(groups)] - row.orientation).max(axis=1) < _SAME_DIRECTION
        at = int(near.argmax()) if near.any() else len(groups)
        if at == len(groups):
            towards[at] = row.orientation
            groups.append([])
        groups[at].append(row)
    return groups


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Unit normal of a plane from its six direction cosines."""
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length else normal


def _distances(rows: Sequence[Instance]) -> NDArray[np.float64]:
    # not a matrix product: its last bit may depend on how many threads share it
    return np.asarray((np.array([r.position_mm for r in rows]) * normal_of(rows[0].orientation)).sum(axis=1))


def _sorted_along_normal(rows: list[Instance]) -> list[Instance]:
    order = np.argsort(_distances(rows), kind="stable")
    return [rows[n] for n in order]


def _by_repeats(rows: list[Instance]) -> list[list[Instance]]:
    """Separate frames that share positions by the attribute, or the two, that leave no repeats; else keep them.

    Of several that do, the one that makes the fewest stacks is taken: some scanners number every slice as an
    acquisition of its own, which would shatter the stack.
    """
    if not _has_repeats(rows):
        return [rows]
    for how_many in (1, 2):
        tried = (_told_apart(rows, chosen) for chosen in combinations(_DISCRIMINATORS, how_many))
        found = [groups for groups in tried if not any(map(_has_repeats, groups))]
        if found:
            return min(found, key=len)
    return [rows]


def _told_apart(
    rows: list[Instance], discriminators: Sequence[Callable[[Instance], object]]
) -> list[list[Instance]]:
    groups: dict[str, list[Instance]] = {}
    for row in rows:
        groups.setdefault(repr([d(row) for d in discriminators]), []).append(row)
    return [groups[k] for k in sorted(groups)]


def _has_repeats(rows: Sequence[Instance]) -> bool:
    return len(rows) > 1 and bool((np.diff(np.sort(_distances(rows))) < SAME_POSITION_MM).any())


def geometry_of(rows: Sequence[Instance]) -> Geometry:
    """Affine and positions of a stack in spatial order."""
    first = rows[0]
    if first.affine:  # NIfTI, NRRD: the file says it
        return Geometry(np.array(first.affine).reshape(4, 4))
    if not _has_spacing(first):
        return Geometry(_unit_affine(first)) if first.modality in PROJECTIONS else Geometry(None)
    if not all(r.position_mm and r.orientation for r in rows):
        return Geometry(_unit_affine(first)) if first.modality in PROJECTIONS else Geometry(None)
    points = np.array([r.position_mm for r in rows])
    distances = _distances(rows)
    normal = normal_of(first.orientation)
    if not normal.any():
        return Geometry(None)
    n = len(rows) - 1
    step = (points[-1] - points[0]) / n if n else normal * _thickness_mm(first)
    shape = (len(rows), first.rows or 0, first.columns or 0)
    across, down = first.orientation[:3], first.orientation[3:]
    grid = grid_from_slices(points[0], across, down, first.pixel_spacing_mm, step, shape)
    expected = points[0] + np.arange(len(rows))[:, None] * step
    whole = points[-1] - points[0]
    return Geometry(
        grid.affine,
        tuple(float(d) for d in distances),
        float(np.median(np.diff(distances))) if n else None,
        float(np.linalg.norm(points - expected, axis=1).max()),
        float(np.linalg.norm(whole - (whole @ normal) * normal)),
    )


def _unit_affine(row: Instance) -> NDArray[np.float64]:
    """Voxel sizes only: a radiograph says nothing about where in the patient it lies."""
    spacing = row.pixel_spacing_mm if _has_spacing(row) else (1.0, 1.0)
    return np.diag([spacing[1], spacing[0], 1.0, 1.0])


def _has_spacing(row: Instance) -> bool:
    return len(row.pixel_spacing_mm) == 2 and all(s > 0 for s in row.pixel_spacing_mm)


def _thickness_mm(row: Instance) -> float:
    """Depth of a slice that stands alone; 1 mm where its header names none."""
    thickness = row.slice_thickness_mm
    return thickness if thickness is not None and thickness > 0 else 1.0
