"""Stacks and series row by row: slow and plain, what the index must come to with columns.

Frames are told apart by orientation, matrix, pixel spacing and frame of reference, then by what repeats at
one position (acquisition, time, echo, b-value, kernel). The order is that of the projection of Image Position
on the normal of Image Orientation (PS3.3 C.7.6.2.1.1), never Instance Number; spacing comes from positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.imaging.affine import grid_from_slices
from isocenter.model.attributes import Attribute
from isocenter.model.rows import Instance, LayoutRow, Series, Stack
from isocenter.stages.index.subjects import Identity

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMembers:
    """The instances of one series with what is known of them from elsewhere."""

    rows: Sequence[Instance]
    identities: Sequence[Identity]
    attributes: tuple[Attribute, ...]
    layout: LayoutRow | None = None


def series_key(row: Instance) -> tuple[str, ...]:
    """What makes instances one series: the series UID within a centre, or the file where there is none."""
    return (row.site, row.format, row.series_uid or row.file_id)


def stacks_of(members: SeriesMembers, names: Pseudonyms) -> list[Stack]:
    """The stacks of one series."""
    first, identity = members.rows[0], members.identities[0]
    series = names.of("ser", *series_key(first))
    return [_stack_of(stack, series, identity, members, names) for stack in separate(members.rows)]


def _stack_of(
    rows: list[Instance],
    series: str,
    identity: Identity,
    members: SeriesMembers,
    names: Pseudonyms,
) -> Stack:
    first, geometry = rows[0], geometry_of(rows)
    shape = first.shape or (len(rows), first.rows or 0, first.columns or 0)
    affine = geometry.affine
    uid = first.frame_of_reference_uid
    is_projection = first.format == "dicom" and not first.position_mm and first.modality in PROJECTIONS
    stem = min(r.sop_instance_uid or r.file_id for r in rows)
    date = identity.timepoint or first.study_date
    stack = Stack(
        id=names.of("stk", series, stem),
        series=series,
        study=names.of("std", first.study_uid or series),
        subject=identity.subject,
        site=identity.site,
        source=first.source,
        timepoint=names.of("tim", identity.subject, date) if date else "",
        format=first.format,
        modality=first.modality or "",
        files=tuple(r.file_id for r in rows),
        frames=tuple(0 for _ in rows),
        instances=tuple(names.of("sop", r.sop_instance_uid or r.file_id) for r in rows),
        shape=shape,
        spacing_mm=()
        if affine is None
        else tuple(float(v) for v in np.linalg.norm(affine[:3, :3], axis=0)[::-1]),
        affine=() if affine is None else tuple(float(v) for v in affine.ravel()),
        orientation=first.orientation,
        orientation_code="none" if is_projection else first.orientation_code,
        affine_conflict_mm=first.affine_conflict_mm,
        affine_residual_mm=geometry.residual_mm,
        shear_mm=geometry.shear_mm,
        positions_mm=geometry.positions_mm,
        slice_distance_mm=geometry.slice_distance_mm,
        slice_thickness_mm=first.slice_thickness_mm,
        gantry_tilt_deg=first.gantry_tilt_deg,
        frame_of_reference=names.of("for", uid) if uid else "",
        attributes=members.attributes,
    )
    return replace(stack, **_content(rows), **_layout(members.layout))


def _content(rows: list[Instance]) -> dict[str, Any]:
    """What the headers say of the pixels."""
    first = rows[0]
    return {
        "sop_class_uid": first.sop_class_uid or "",
        "transfer_syntax_uid": first.transfer_syntax_uid or "",
        "image_type": first.image_type,
        "multi_frame": any(r.frames > 1 for r in rows),
        "samples": first.samples,
        "photometric": first.photometric or "",
        "bits_allocated": first.bits_allocated,
        "bits_stored": first.bits_stored,
        "dtype": first.dtype or _dtype_of(first),
        "n_without_rescale": sum(r.rescale_slope is None or r.rescale_intercept is None for r in rows),
        "rescale_slopes": _distinct([r.rescale_slope for r in rows]),
        "rescale_intercepts": _distinct([r.rescale_intercept for r in rows]),
        "rescale_type": first.rescale_type or "",
        "has_modality_lut": any(r.has_modality_lut for r in rows),
        "pet_units": first.pet_units or "",
        "is_lossy": any(r.is_lossy for r in rows),
        "has_pixels": all(r.has_pixels for r in rows),
        "presentation_intent": first.presentation_intent or "",
        "burned_in_annotation": max((r.burned_in_annotation or "" for r in rows), default=""),
        "unparsable": tuple(sorted({u for r in rows for u in r.unparsable})),
    }


def _layout(row: LayoutRow | None) -> dict[str, Any]:
    """What the layout of the source says of the file."""
    if row is None:
        return {}
    return {
        "layout_role": row.role,
        "layout_channel": row.channel,
        "layout_case": row.case,
        "partition": row.partition,
    }


def _dtype_of(row: Instance) -> str:
    if row.bits_allocated not in {8, 16, 32}:
        return ""
    return f"{'int' if row.pixel_representation else 'uint'}{row.bits_allocated}"


def _distinct(values: list[float | None]) -> tuple[float, ...]:
    return tuple(sorted({v for v in values if v is not None}))


def series_of(members: SeriesMembers, stacks: Sequence[Stack]) -> Series:
    """The row of one series."""
    rows, first = members.rows, members.rows[0]

    def count(field: str) -> int:
        return len({getattr(r, field) for r in rows})

    def most(key: Callable[[Instance], object]) -> int:
        """The highest count among planes of one orientation: a localizer or a second view is no mixture."""
        planes: dict[tuple[float, ...], set[object]] = {}
        for row in rows:
            if row.orientation:
                planes.setdefault(tuple(round(v, 2) for v in row.orientation), set()).add(key(row))
        return max(map(len, planes.values()), default=1)

    return Series(
        id=stacks[0].series,
        study=stacks[0].study,
        subject=members.identities[0].subject,
        site=members.identities[0].site,
        format=first.format,
        modality=first.modality or "",
        n_instances=len(rows),
        n_stacks=len(stacks),
        n_subjects=len({i.subject for i in members.identities}),
        n_modalities=count("modality"),
        n_frames_of_reference=most(lambda r: r.frame_of_reference_uid),
        n_bits_stored=most(lambda r: r.bits_stored),
        n_matrices=most(lambda r: (r.rows, r.columns)),
        n_pixel_spacings=most(lambda r: tuple(round(v, 4) for v in r.pixel_spacing_mm)),
        n_photometrics=most(lambda r: r.photometric),
        has_patient_id=all(r.patient_id for r in rows),
        is_dummy_patient_id=any(i.is_dummy for i in members.identities),
        has_manufacturer=all(r.manufacturer for r in rows),
        has_model=all(r.model for r in rows),
        identity_removed=first.identity_removed,
        burned_in_annotation=max((r.burned_in_annotation or "" for r in rows), default=""),
    )
