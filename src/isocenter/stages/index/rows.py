"""From the instances of a series to its rows of series and stacks, by pseudonym."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.attributes import Attribute
from isocenter.model.rows import LayoutRow, Series, Stack
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.stack import PROJECTIONS, geometry_of, separate
from isocenter.stages.index.subjects import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMembers:
    """The instances of one series with what is known of them from elsewhere.

    `identities` begins with that of the first row and holds every other one that occurs.
    """

    rows: Members
    identities: Sequence[Identity]
    attributes: tuple[Attribute, ...]
    layout: LayoutRow | None = None


def key_of(members: Members) -> tuple[str, str, str]:
    """What makes instances one series: the series UID within a centre, or the file where there is none."""
    series: str = members.value("series_uid") or members.file_ids[0]
    return members.value("site"), members.value("format"), series


def stacks_of(members: SeriesMembers, names: Pseudonyms) -> list[Stack]:
    """The stacks of one series."""
    series = names.of("ser", *key_of(members.rows))
    uids, ids = members.rows.uids, members.rows.file_ids
    stems = [uid or file_id for uid, file_id in zip(uids, ids, strict=True)]
    return [_stack_of(rows, series, stems, members, names) for rows in separate(members.rows)]


def _stack_of(
    rows: Rows, series: str, stems: Sequence[str], series_members: SeriesMembers, names: Pseudonyms
) -> Stack:
    members, identity, layout = series_members.rows, series_members.identities[0], series_members.layout
    first, geometry = members.row(int(rows[0])), geometry_of(members, rows)
    chosen, ids = rows.tolist(), members.file_ids
    affine, uid = geometry.affine, first["frame_of_reference_uid"]
    is_placed = not bool(np.isnan(members.positions_mm[chosen[0], 0]))
    is_projection = first["format"] == "dicom" and not is_placed and first["modality"] in PROJECTIONS
    date = identity.timepoint or first["study_date"]
    return Stack(
        id=names.of("stk", series, min(stems[n] for n in chosen)),
        series=series,
        study=names.of("std", first["study_uid"] or series),
        subject=identity.subject,
        site=identity.site,
        source=first["source"],
        timepoint=names.of("tim", identity.subject, date) if date else "",
        format=first["format"],
        modality=first["modality"] or "",
        files=tuple(ids[n] for n in chosen),
        frames=(0,) * len(chosen),
        instances=tuple(names.of_each("sop", (stems[n] for n in chosen))),
        shape=first["shape"] or (len(chosen), first["rows"] or 0, first["columns"] or 0),
        spacing_mm=()
        if affine is None
        else tuple(float(v) for v in np.linalg.norm(affine[:3, :3], axis=0)[::-1]),
        affine=() if affine is None else tuple(affine.ravel().tolist()),
        orientation=first["orientation"],
        orientation_code="none" if is_projection else first["orientation_code"],
        affine_conflict_mm=first["affine_conflict_mm"],
        affine_residual_mm=geometry.residual_mm,
        shear_mm=geometry.shear_mm,
        positions_mm=geometry.positions_mm,
        slice_distance_mm=geometry.slice_distance_mm,
        slice_thickness_mm=first["slice_thickness_mm"],
        gantry_tilt_deg=first["gantry_tilt_deg"],
        frame_of_reference=names.of("for", uid) if uid else "",
        attributes=series_members.attributes,
        layout_role=layout.role if layout else "",
        layout_channel=layout.channel if layout else "",
        layout_case=layout.case if layout else "",
        partition=layout.partition if layout else "",
        **_content(members, rows, first),
    )


def _content(members: Members, rows: Rows, first: dict[str, Any]) -> dict[str, Any]:
    """What the headers say of the pixels."""

    def distinct(name: str) -> list[Any]:
        return members.distinct(name, rows)

    return {
        "sop_class_uid": first["sop_class_uid"] or "",
        "transfer_syntax_uid": first["transfer_syntax_uid"] or "",
        "image_type": first["image_type"],
        "multi_frame": any(n > 1 for n in distinct("frames")),
        "samples": first["samples"],
        "photometric": first["photometric"] or "",
        "bits_allocated": first["bits_allocated"],
        "bits_stored": first["bits_stored"],
        "dtype": first["dtype"] or _dtype_of(first),
        "n_without_rescale": _count_without_rescale(members, rows),
        "rescale_slopes": tuple(sorted(v for v in distinct("rescale_slope") if v is not None)),
        "rescale_intercepts": tuple(sorted(v for v in distinct("rescale_intercept") if v is not None)),
        "rescale_type": first["rescale_type"] or "",
        "has_modality_lut": any(distinct("has_modality_lut")),
        "pet_units": first["pet_units"] or "",
        "is_lossy": any(distinct("is_lossy")),
        "has_pixels": all(distinct("has_pixels")),
        "presentation_intent": first["presentation_intent"] or "",
        "burned_in_annotation": max(v or "" for v in distinct("burned_in_annotation")),
        "unparsable": tuple(sorted({name for names in distinct("unparsable") for name in names})),
    }


def _count_without_rescale(members: Members, rows: Rows) -> int:
    names = ("rescale_slope", "rescale_intercept")
    if all(None not in members.distinct(n, rows) for n in names):
        return 0
    slope, intercept = (members.tested(n, lambda v: v is None) for n in names)
    return int((slope | intercept)[rows].sum())


def _dtype_of(first: dict[str, Any]) -> str:
    if first["bits_allocated"] not in {8, 16, 32}:
        return ""
    return f"{'int' if first['pixel_representation'] else 'uint'}{first['bits_allocated']}"


def series_of(members: SeriesMembers, stacks: Sequence[Stack]) -> Series:
    """The row of one series."""
    rows, identity = members.rows, members.identities[0]
    return Series(
        id=stacks[0].series,
        study=stacks[0].study,
        subject=identity.subject,
        site=identity.site,
        format=rows.value("format"),
        modality=rows.value("modality") or "",
        n_instances=len(rows),
        n_stacks=len(stacks),
        n_subjects=len({i.subject for i in members.identities}),
        n_modalities=len(rows.distinct("modality")),
        n_frames_of_reference=_most(rows, "frame_of_reference_uid"),
        n_bits_stored=_most(rows, "bits_stored"),
        n_matrices=_most(rows, "rows", "columns"),
        n_pixel_spacings=_most(rows, "pixel_spacing_mm", of=lambda v: tuple(round(n, 4) for n in v)),
        n_photometrics=_most(rows, "photometric"),
        has_patient_id=all(rows.distinct("patient_id")),
        is_dummy_patient_id=any(i.is_dummy for i in members.identities),
        has_manufacturer=all(rows.distinct("manufacturer")),
        has_model=all(rows.distinct("model")),
        identity_removed=rows.value("identity_removed"),
        burned_in_annotation=max(v or "" for v in rows.distinct("burned_in_annotation")),
    )


def _most(members: Members, *names: str, of: Callable[[Any], Hashable] = lambda v: v) -> int:
    """The highest count among planes of one orientation: a localizer or a second view is no mixture."""
    if all(members.is_one(n) for n in names):
        return 1
    planes: dict[tuple[float, ...], set[Hashable]] = {}
    for orientation, *values in members.together(("orientation", *names)):
        if orientation:
            plane = tuple(round(v, 2) for v in orientation)
            planes.setdefault(plane, set()).add(tuple(of(v) for v in values))
    return max(map(len, planes.values()), default=1)
