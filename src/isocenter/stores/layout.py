"""Layout: how a case becomes a record of arrays and JSON facts, and a record a case again.

Arrays of a record: `image` (C, K, J, I); `mask` and `rater-000`, `rater-001`, ... (K, J, I) or
(L, K, J, I); `instances` (K, J, I); `valid` (K, J, I) of 0 and 1; `known-000`, ... of labels that are known in part,
and `rater-known-000`, ... of what raters looked at in part, the same; `share-000`, ... uint16 (K, J, I); `boxes`
float64 (N, 6) and `boxes_voxel` int32 (N, 6); `rater_boxes` float64 (N, 6) and `rater_points` float64 (N, 4);
`slice_labels` int8 (L, K); and `foreground` int32 (N, 4): label value, k, j, i of up to `FOREGROUND_VOXELS` voxels of
each label, drawn by lot, so that a loader finds a lesion without reading the mask. An array that would be empty is
left out; what numbered arrays are of is in the facts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base import seeds
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.case import Case, Marks
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import LabelState, OpinionRow
from isocenter.model.volume import Slice
from isocenter.stores.shard import Record, digest_of_array

LAYOUT_VERSION = 5
"""Goes up when what is written changes so that an older version of the package would misread it."""

READABLE_LAYOUTS = (4, 5)
"""Layouts that this version reads. A store of each is kept in `tests/golden`, and a layout leaves only with a note."""

FOREGROUND_VOXELS = 1024


def record_of(case: Case) -> Record:
    """The record of a case whose arrays are in memory."""
    image = np.asarray(case.image)
    arrays = {"image": image, "boxes": case.boxes, "boxes_voxel": case.boxes_voxel}
    if case.mask is not None:
        arrays["mask"] = _numbers(case.mask)
        arrays["foreground"] = _foreground(arrays["mask"], case.id)
    if case.valid is not None:
        arrays["valid"] = _numbers(case.valid)
    if case.instances is not None:
        arrays["instances"] = case.instances
    if case.slice_labels is not None:
        arrays["slice_labels"] = case.slice_labels
    arrays |= {"rater_boxes": case.rater_boxes.where, "rater_points": case.rater_points.where}
    for kind, found in _numbered(case).items():
        arrays |= {f"{kind}-{n:03}": _numbers(array) for n, (_, array) in enumerate(found)}
    arrays = {n: np.ascontiguousarray(a) for n, a in arrays.items() if a.size}
    return Record(case.id, arrays, _meta(case, {n: digest_of_array(a) for n, a in arrays.items()}))


def case_of(case_id: str, meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> Case:
    """The case of a record; its image and masks are whatever is given for them, e.g. a `LazyArray`."""
    columns = meta["slices"]
    return Case(
        id=case_id,
        subject=meta["subject"],
        site=meta["site"],
        timepoint=meta["timepoint"],
        image=arrays["image"],
        channels=tuple(meta["channels"]),
        units=tuple(meta["units"]),
        modalities=tuple(meta["modalities"]),
        grid=Grid(
            (meta["shape"][0], meta["shape"][1], meta["shape"][2]),
            affine_of(meta),
            meta["frame_of_reference"],
            meta["is_oriented"],
        ),
        mask=arrays.get("mask"),
        raters={rater: arrays[f"rater-{n:03}"] for n, rater in enumerate(meta["raters"])},
        known={label: arrays[f"known-{n:03}"] for n, label in enumerate(meta["known"])},
        rater_known=_rater_known(meta, arrays),
        shares={label: arrays[f"share-{n:03}"] for n, label in enumerate(meta["shares"])},
        instances=arrays.get("instances"),
        rater_boxes=_marks(meta, arrays, "rater_boxes", 6),
        rater_points=_marks(meta, arrays, "rater_points", 4),
        opinions=tuple(OpinionRow(case=case_id, **o) for o in meta["opinions"]),
        slice_labels=np.asarray(arrays["slice_labels"]) if "slice_labels" in arrays else None,
        valid=arrays.get("valid"),
        boxes=np.asarray(arrays["boxes"]) if "boxes" in arrays else np.zeros((0, 6)),
        boxes_voxel=np.asarray(arrays["boxes_voxel"]) if "boxes" in arrays else np.zeros((0, 6), np.int32),
        box_labels=tuple(meta["box_labels"]),
        labels=tuple(LabelState(**s) for s in meta["labels"]),
        attributes=tuple(Attribute(**{**a, "state": AttributeState(a["state"])}) for a in meta["attributes"]),
        statistics={c: {k: _number(v) for k, v in s.items()} for c, s in meta["statistics"].items()},
        slices=tuple(
            Slice(position_mm=position, instance=instance, is_synthetic=is_synthetic, file=file, frame=frame)
            for position, instance, is_synthetic, file, frame in zip(*columns, strict=True)
        ),
        issues=tuple(
            Issue(**{**i, "severity": Severity(i["severity"]) if i["severity"] else None})
            for i in meta["issues"]
        ),
        provenance=dict(meta["provenance"]),
        verdict=meta["verdict"],
    )


def without_arrays(case: Case) -> Case:
    """The case without the arrays that are as large as its image."""
    return replace(
        case,
        image=None,
        mask=None,
        raters={},
        known={},
        rater_known={},
        shares={},
        instances=None,
        valid=None,
    )


def is_truth(name: str) -> bool:
    """Whether an array of a record holds 0 and 1 that stand for false and true."""
    return name == "valid" or name.startswith(("known-", "rater-known-"))


def affine_of(meta: Mapping[str, Any]) -> NDArray[np.float64]:
    """The affine (4, 4) in a record's facts."""
    return np.array(meta["affine"], dtype=np.float64).reshape(4, 4)


def _meta(case: Case, digests: dict[str, str]) -> dict[str, Any]:
    return {
        "layout": LAYOUT_VERSION,
        "subject": case.subject,
        "site": case.site,
        "timepoint": case.timepoint,
        "channels": case.channels,
        "units": case.units,
        "modalities": case.modalities,
        "shape": [int(n) for n in case.grid.shape],
        "affine": [float(x) for x in case.grid.affine.reshape(-1)],
        "frame_of_reference": case.grid.frame_of_reference,
        "is_oriented": bool(case.grid.is_oriented),
        "raters": sorted(case.raters),
        "known": sorted(case.known),
        "rater_known": [list(pair) for pair in _rater_pairs(case)],
        "shares": sorted(case.shares),
        "rater_boxes": [case.rater_boxes.raters, case.rater_boxes.labels],
        "rater_points": [case.rater_points.raters, case.rater_points.labels],
        "opinions": [{k: v for k, v in asdict(o).items() if k != "case"} for o in case.opinions],
        "box_labels": case.box_labels,
        "labels": [asdict(s) for s in case.labels],
        "attributes": [asdict(a) for a in case.attributes],
        "statistics": {c: {k: _or_none(v) for k, v in s.items()} for c, s in case.statistics.items()},
        "slices": [
            [float(s.position_mm) for s in case.slices],
            [s.instance for s in case.slices],
            [bool(s.is_synthetic) for s in case.slices],
            [s.file for s in case.slices],
            [int(s.frame) for s in case.slices],
        ],
        "issues": [asdict(i) for i in case.issues],
        "provenance": case.provenance,
        "verdict": str(case.verdict),
        "digests": digests,
    }


def _numbered(case: Case) -> dict[str, list[tuple[Any, Any]]]:
    """Arrays of which a record may have any number, each with what it is of, in the order of their numbers."""
    pairs = _rater_pairs(case)
    return {
        "rater": sorted(case.raters.items(), key=_first),
        "known": sorted(case.known.items(), key=_first),
        "rater-known": [(pair, case.rater_known[pair[0]][pair[1]]) for pair in pairs],
        "share": sorted(case.shares.items(), key=_first),
    }


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _rater_pairs(case: Case) -> list[tuple[str, str]]:
    return [(rater, label) for rater in sorted(case.rater_known) for label in sorted(case.rater_known[rater])]


def _rater_known(meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for number, (rater, label) in enumerate(meta["rater_known"]):
        out.setdefault(rater, {})[label] = arrays[f"rater-known-{number:03}"]
    return out


def _marks(meta: Mapping[str, Any], arrays: Mapping[str, Any], name: str, width: int) -> Marks:
    raters, labels = meta[name]
    where = np.asarray(arrays[name]) if name in arrays else np.zeros((0, width))
    return Marks(raters=tuple(raters), labels=tuple(labels), where=where)


def _numbers(array: Any) -> NDArray[Any]:
    """A truth mask as 0 and 1, which every reader of the file format understands."""
    whole = np.ascontiguousarray(array)
    return whole.view(np.uint8) if whole.dtype == np.bool_ else whole


def _foreground(mask: NDArray[Any], case_id: str) -> NDArray[np.int32]:
    """Some voxels of each label (N, 4): value, k, j, i; an overlapping mask's value is its plane + 1."""
    flat = np.flatnonzero(mask)
    found = np.unravel_index(flat, mask.shape)
    values = mask.reshape(-1)[flat].astype(np.int32) if mask.ndim == 3 else found[0].astype(np.int32) + 1
    order = np.argsort(values, kind="stable")
    present, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    rows = []
    for value, start, count in zip(present, first, counts, strict=True):
        lot = seeds.stream(0, "foreground", case_id, int(value))
        chosen = np.sort(lot.choice(count, size=min(int(count), FOREGROUND_VOXELS), replace=False))
        voxels = [axis[order[start + chosen]] for axis in found[-3:]]
        rows.append(np.stack([np.full(len(chosen), value), *voxels], axis=1))
    return np.concatenate(rows).astype(np.int32) if rows else np.zeros((0, 4), np.int32)


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None  # NaN is no JSON


def _number(value: float | None) -> float:
    return math.nan if value is None else value
