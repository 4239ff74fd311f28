"""From instances to the rows of series and stacks, by pseudonym."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.attributes import Attribute
from isocenter.model.rows import Instance, LayoutRow, Series, Stack
from isocenter.stages.index.stack import PROJECTIONS, geometry_of, separate
from isocenter.stages.index.subjects import Identity


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
