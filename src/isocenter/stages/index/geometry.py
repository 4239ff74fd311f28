"""Geometry: where the voxels of a stack are, from the places that its headers give for each slice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import grid_from_slices
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.radiograph import radiograph_row
from isocenter.stages.index.spacing import spacing_of

# Projection radiographs have no stack: every instance is an image of its own.
PROJECTIONS = {"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF", "US", "SC", "OT", "ES", "SM", "XC", "GM", "OP"}
# Slices nearer than this to the line through the first and the last are on it: headers are rounded so far.
_ON_THE_LINE_MM = 1e-3
# A line through most slices is believed if so many lie on it, so near (in steps): the others are the odd ones.
_MOST, _NEAR_STEPS = 0.8, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where a stack's voxels are; None and () where the headers do not say."""

    affine: NDArray[np.float64] | None
    positions_mm: tuple[float, ...] = ()
    slice_distance_mm: float | None = None
    residual_mm: float = 0.0
    lateral_residual_mm: float = 0.0
    shear_mm: float = 0.0
    orientation_residual: float = 0.0


@lru_cache(maxsize=4096)
def normal_of(orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """Unit normal of a plane from its six direction cosines."""
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    out: NDArray[np.float64] = normal / length if length else normal
    out.flags.writeable = False
    return out


def orientation_of(members: Members, rows: Rows) -> tuple[float, ...]:
    """The direction cosines that most of some rows have; of several, the lowest."""
    if members.is_one("orientation"):
        found: tuple[float, ...] = members.value("orientation")
        return found
    codes, counts = np.unique(members.codes("orientation")[rows], return_counts=True)
    values = members.values("orientation")
    most: tuple[float, ...] = min(
        (-n, values[c]) for c, n in zip(codes.tolist(), counts.tolist(), strict=True)
    )[1]
    return most


def are_placed(members: Members, rows: Rows) -> bool:
    """Whether every one of some rows says where it lies."""
    return all(members.distinct("orientation", rows)) and not bool(
        np.isnan(members.positions_mm[rows, 0]).any()
    )


def distances_along(members: Members, rows: Rows, orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """How far along the normal of a plane some rows lie, (N,)."""
    # not a matrix product: its last bit may depend on how many threads share it
    return np.asarray((members.positions_mm[rows] * normal_of(orientation)).sum(axis=1))


def geometry_of(members: Members, rows: Rows) -> Geometry:
    """Affine and positions of a stack in spatial order."""
    first = members.row(rows[0])
    if first["affine"]:  # NIfTI, NRRD: the file says it
        return Geometry(np.array(first["affine"]).reshape(4, 4))
    if not _has_spacing(first) or not are_placed(members, rows):
        return Geometry(_unit_affine(members, int(rows[0])) if first["modality"] in PROJECTIONS else None)
    orientation = orientation_of(members, rows)
    points, distances = members.positions_mm[rows], distances_along(members, rows, orientation)
    normal = normal_of(orientation)
    if not normal.any():
        return Geometry(None)
    n = len(rows) - 1
    start, step, residual = _line(points) if n else (points[0], normal * _thickness_mm(first), 0.0)
    shape = (len(rows), first["rows"] or 0, first["columns"] or 0)
    across, down = orientation[:3], orientation[3:]
    grid = grid_from_slices(start, across, down, first["pixel_spacing_mm"], step, shape)
    whole = step * n
    return Geometry(
        grid.affine,
        tuple(distances.tolist()),
        _median(np.diff(distances)) if n else None,
        residual,
        _beside(points, start, step, normal) if residual > _ON_THE_LINE_MM else 0.0,
        float(np.linalg.norm(whole - (whole @ normal) * normal)) if n else 0.0,
        0.0 if members.is_one("orientation") else _most_different(members, rows, orientation),
    )


def _line(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Start and step of evenly spaced points, and the largest distance of one from where they put it.

    The line goes through the first and the last point where the others lie on it, else through most of the
    points where one can: a single odd slice at an end must not move all others.
    """
    n, counts = len(points) - 1, np.arange(len(points))[:, None]
    first, step = points[0], (points[-1] - points[0]) / n
    residual = float(np.linalg.norm(points - (first + counts * step), axis=1).max())
    if residual <= _ON_THE_LINE_MM or n < 3:
        return first, step, residual
    usual = np.median(np.diff(points, axis=0), axis=0)
    start = np.median(points - counts * usual, axis=0)
    off = np.linalg.norm(points - (start + counts * usual), axis=1)
    near = off <= max(_ON_THE_LINE_MM, _NEAR_STEPS * float(np.linalg.norm(usual)))
    if near.sum() < _MOST * len(points):
        return first, step, residual
    # exact again where the slices at both ends of the good ones are
    ends = np.flatnonzero(near)[[0, -1]]
    usual = (points[ends[1]] - points[ends[0]]) / (ends[1] - ends[0])
    start = points[ends[0]] - ends[0] * usual
    return start, usual, float(np.linalg.norm(points - (start + counts * usual), axis=1).max())


def _beside(
    points: NDArray[np.float64],
    start: NDArray[np.float64],
    step: NDArray[np.float64],
    normal: NDArray[np.float64],
) -> float:
    """The largest distance of a point from a line, within the plane that it lies in; gaps take no part in it."""
    height = float(step @ normal)
    if not height:
        return 0.0
    along = ((points - start) * normal).sum(axis=1) / height
    return float(np.linalg.norm(points - (start + along[:, None] * step), axis=1).max())


def _most_different(members: Members, rows: Rows, orientation: tuple[float, ...]) -> float:
    """The largest difference of a row's direction cosines from those of its stack."""
    found = np.array(members.distinct("orientation", rows))
    return float(np.abs(found - orientation).max())


def _median(values: NDArray[np.float64]) -> float:
    ordered = np.sort(values).tolist()
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _unit_affine(members: Members, row: int) -> NDArray[np.float64]:
    """Voxel sizes only: a radiograph says nothing about where in the patient it lies."""
    down, across = spacing_of(radiograph_row(members, row)).spacing_mm or (1.0, 1.0)
    return np.diag([across, down, 1.0, 1.0])


def _has_spacing(first: dict[str, Any]) -> bool:
    return len(first["pixel_spacing_mm"]) == 2 and all(s > 0 for s in first["pixel_spacing_mm"])


def _thickness_mm(first: dict[str, Any]) -> float:
    """Depth of a slice that stands alone; 1 mm where its header names none."""
    thickness = first["slice_thickness_mm"]
    return float(thickness) if thickness is not None and thickness > 0 else 1.0
