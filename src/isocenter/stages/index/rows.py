"""From the instances of a series to its rows of series and stacks, by pseudonym."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.attributes import Attribute
from isocenter.model.rows import LayoutRow, Series, Stack
from isocenter.stages.index.absent import absent_from
from isocenter.stages.index.axis import Part
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.geometry import PROJECTIONS, Geometry, geometry_of, orientation_of
from isocenter.stages.index.repeats import Pixels
from isocenter.stages.index.stack import separate
from isocenter.stages.index.subjects import Identity
from isocenter.stages.index.tracer import attributes_of, suv_facts_of

_AS_READ = ("affine_conflict_mm", "slice_thickness_mm", "gantry_tilt_deg")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMembers:
    """The instances of one series with what is known of them from elsewhere.

    `identities` begins with that of the first row and holds every other one that occurs. `compression` makes attributes
    of what the headers of a stack of DICOM say, by field of `Stack`.
    """

    rows: Members
    identities: Sequence[Identity]
    attributes: tuple[Attribute, ...]
    layout: LayoutRow | None = None
    compression: Callable[[Mapping[str, Any]], tuple[Attribute, ...]] = lambda _: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The stacks of a series, what each was made of, and rows that are copies of others."""

    stacks: list[Stack]
    parts: list[Part]
    copies: list[int]


def key_of(members: Members) -> tuple[str, str, str]:
    """What makes instances one series: within a centre, the series UID, the folder or the file."""
    return members.value("site"), members.value("format"), members.series_key


def stacks_of(members: SeriesMembers, names: Pseudonyms, pixels: Pixels | None = None) -> Made:
    """The stacks of one series.

    Args:
        members: The series.
        names: The workspace's pseudonyms.
        pixels: Digest of the pixels of a row; without it no pixels are compared.
    """
    series = names.of("ser", *key_of(members.rows))
    uids, ids = members.rows.uids, members.rows.file_ids
    stems = [uid or file_id for uid, file_id in zip(uids, ids, strict=True)]
    found = separate(members.rows, pixels)
    counts = _counted(found.parts)
    stacks = [_stack_of(part, series, stems, members, names, counts) for part in found.parts]
    return Made(stacks=stacks, parts=found.parts, copies=found.copies)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The images of all stacks of a series, and the slices of those on each axis, by its lowest row."""

    images: int
    slices: dict[int, tuple[int, ...]]


def _counted(parts: Sequence[Part]) -> _Counts:
    slices: dict[int, tuple[int, ...]] = {}
    for part in sorted((p for p in parts if p.axis), key=lambda p: p.index):
        slices[part.group] = (*slices.get(part.group, ()), len(part.rows))
    return _Counts(sum(len(p.rows) for p in parts), slices)


def _stack_of(
    part: Part,
    series: str,
    stems: Sequence[str],
    series_members: SeriesMembers,
    names: Pseudonyms,
    counts: _Counts,
) -> Stack:
    members, identity, layout = series_members.rows, series_members.identities[0], series_members.layout
    rows, first, geometry = part.rows, members.row(int(part.rows[0])), geometry_of(members, part.rows)
    chosen, ids = rows.tolist(), members.file_ids
    affine, uid = geometry.affine, first["frame_of_reference_uid"]
    is_placed = not bool(np.isnan(members.positions_mm[chosen[0], 0]))
    is_projection = first["format"] == "dicom" and not is_placed and first["modality"] in PROJECTIONS
    date = identity.timepoint or first["study_date"]
    suv, content = suv_facts_of(members, rows), _content(members, rows, first)
    compression = series_members.compression(content) if first["format"] == "dicom" else ()
    return Stack(
        id=names.of("stk", series, *_stem(members, stems, min(chosen))),
        series=series,
        study=names.of("std", first["study_uid"] or series),
        subject=identity.subject,
        site=identity.site,
        source=first["source"],
        timepoint=names.of("tim", identity.subject, date) if date else "",
        format=first["format"],
        modality=first["modality"] or "",
        files=tuple(ids[n] for n in chosen),
        frames=_frames(members, chosen),
        instances=tuple(names.of_each("sop", (stems[n] for n in chosen))),
        shape=first["shape"] or (len(chosen), first["rows"] or 0, first["columns"] or 0),
        spacing_mm=()
        if affine is None
        else tuple(float(v) for v in np.linalg.norm(affine[:3, :3], axis=0)[::-1]),
        affine=() if affine is None else tuple(affine.ravel().tolist()),
        orientation=orientation_of(members, rows) if geometry.positions_mm else first["orientation"],
        orientation_code="none" if is_projection else first["orientation_code"],
        **{name: first[name] for name in _AS_READ},
        frame_of_reference=names.of("for", uid) if uid else "",
        attributes=(*series_members.attributes, *attributes_of(suv), *compression),
        suv=suv,
        group=names.of("grp", series, *_stem(members, stems, part.group)) if part.axis else "",
        absent=absent_from(members, rows),
        n_in_series=counts.images,
        group_slices=counts.slices[part.group] if part.axis else (),
        **_layout(layout),
        **_place(geometry, part),
        **content,
        **_numbers(members, rows),
    )


def _layout(layout: LayoutRow | None) -> dict[str, Any]:
    """What a known way to arrange files says of the stack."""
    return {
        "layout_role": layout.role if layout else "",
        "layout_channel": layout.channel if layout else "",
        "layout_case": layout.case if layout else "",
        "partition": layout.partition if layout else "",
    }


def _place(geometry: Geometry, part: Part) -> dict[str, Any]:
    """Where the slices are, and the stack on its axis."""
    return {
        "affine_residual_mm": geometry.residual_mm,
        "lateral_residual_mm": geometry.lateral_residual_mm,
        "orientation_residual": geometry.orientation_residual,
        "shear_mm": geometry.shear_mm,
        "positions_mm": geometry.positions_mm,
        "slice_distance_mm": geometry.slice_distance_mm,
        "axis": part.axis,
        "axis_index": part.index,
        "axis_count": part.count,
        "axis_value": part.value,
    }


def _stem(members: Members, stems: Sequence[str], row: int) -> tuple[str, ...]:
    """What tells one row of a series: its UID or file, and its frame."""
    frame = members.frame(row)
    return (stems[row],) if frame is None else (stems[row], str(frame))


def _frames(members: Members, chosen: Sequence[int]) -> tuple[int, ...]:
    if members.frames is None:
        return (0,) * len(chosen)
    return tuple(members.frames[n] or 0 for n in chosen)


def _numbers(members: Members, rows: Rows) -> dict[str, Any]:
    """What the headers count: the lowest and the highest Instance Number, and the images of an acquisition."""
    numbers = members.instance_numbers[rows]
    known = numbers[~np.isnan(numbers)]
    images = [n for n in members.distinct("images_in_acquisition", rows) if n]
    times = [n for n in members.distinct("temporal_positions", rows) if n]
    return {
        "first_number": int(known.min()) if len(known) else None,
        "last_number": int(known.max()) if len(known) else None,
        "images_in_acquisition": images[0] if len(images) == 1 else None,
        "temporal_positions": times[0] if len(times) == 1 else None,
    }


def _content(members: Members, rows: Rows, first: dict[str, Any]) -> dict[str, Any]:
    """What the headers say of the pixels."""

    def distinct(name: str) -> list[Any]:
        return members.distinct(name, rows)

    return {
        "sop_class_uid": first["sop_class_uid"] or "",
        "transfer_syntax_uid": first["transfer_syntax_uid"] or "",
        "image_type": first["image_type"],
        "multi_frame": members.frame(int(rows[0])) is not None or any(n > 1 for n in distinct("frames")),
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
        "overlong": tuple(sorted({name for names in distinct("overlong") for name in names})),
        "repeated": tuple(sorted({name for names in distinct("repeated") for name in names})),
        "lossy_ratios": tuple(sorted(v for v in distinct("lossy_ratio") if v)),
        "lossy_methods": tuple(sorted(v for v in distinct("lossy_method") if v)),
        "all_bits_stored": tuple(sorted(v for v in distinct("bits_stored") if v is not None)),
        "all_signs": tuple(sorted(v for v in distinct("pixel_representation") if v is not None)),
        "all_rescale_types": _texts(distinct("rescale_type")),
        "all_pet_units": _texts(distinct("pet_units")),
        "all_transfer_syntaxes": tuple(sorted(v for v in distinct("transfer_syntax_uid") if v)),
    }


def _texts(values: Sequence[str | None]) -> tuple[str, ...]:
    """Texts, with "" where only some slices have one; none where no slice has."""
    found = {v or "" for v in values}
    return tuple(sorted(found)) if any(found) else ()


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
        n_instances=len(rows) if rows.frames is None else len(set(rows.file_ids)),
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
    """The highest count among grey planes of one orientation: localizers, other views and pictures are no mixture."""
    if all(members.is_one(n) for n in names):
        return 1
    planes: dict[tuple[float, ...], set[Hashable]] = {}
    for orientation, samples, *values in members.together(("orientation", "samples", *names)):
        if orientation and samples == 1:
            plane = tuple(round(v, 2) for v in orientation)
            planes.setdefault(plane, set()).add(tuple(of(v) for v in values))
    return max(map(len, planes.values()), default=1)
