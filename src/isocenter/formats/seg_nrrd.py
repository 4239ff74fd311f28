"""3D Slicer segmentations (.seg.nrrd): which layer and label value of an NRRD file each segment is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.base.errors import FormatError
from isocenter.model.annotation import Part
from isocenter.model.rows import AnnotationObject

_KEY = re.compile(r"Segment(\d{1,6})_(ID|Name|LabelValue|Layer|Tags)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_TERMINOLOGY = "TerminologyEntry:"
# Names of the axis that counts layers; it comes first.
_LIST_KINDS = {"list", "vector"}
# Fields with an entry for every axis.
_PER_AXIS = ("sizes", "kinds", "space directions", "centerings", "centers", "labels", "units", "thicknesses")
# What was drawn, by the name of older and of newer versions.
_SOURCES = ("Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment: the voxels of one value in one layer."""

    part: Part
    layer: int
    value: int


def is_segmentation(header: Mapping[str, Any]) -> bool:
    """Whether a header has segments."""
    return any(_KEY.fullmatch(key) for key in header)


def without_layers(header: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The header of one layer, and how many there are; a header without layers comes back as it is."""
    sizes, kinds = header.get("sizes", ()), [str(k).lower() for k in header.get("kinds", ())]
    is_list = bool(kinds) and kinds[0] in _LIST_KINDS
    if len(sizes) != 4 or (not is_list and int(sizes[3]) == 1):
        return header, 1
    if not is_list:
        raise FormatError("file/several-volumes", "layers of a segmentation that do not come first")
    out = {k: v[1:] if k in _PER_AXIS and len(v) == 4 else v for k, v in header.items()}
    count = int(sizes[0])
    if count < 1 or int(header.get("dimension", 0)) != 4:
        raise FormatError("file/corrupt", "the number of axes and their sizes disagree")
    return out | {"dimension": 3}, count


def segments_of(header: Mapping[str, Any], layers: int) -> tuple[Segment, ...]:
    """The segments in the order of their numbers, by which they are taken out: names and values need not be unique.

    Old versions write no Layer: then each segment is a layer of its own where there are several, and no Label
    Value: then it is 1.

    Raises:
        FormatError: two segments are the same voxels, or a segment is in no layer of the file.
    """
    told: dict[int, dict[str, str]] = {}
    for key, text in header.items():
        if known := _KEY.fullmatch(key):
            told.setdefault(int(known[1]), {})[known[2]] = str(text).strip()
    out = tuple(_segment(number, fields, layers) for number, fields in sorted(told.items()))
    if len({(s.layer, s.value) for s in out}) < len(out):
        raise FormatError("file/corrupt", "two segments have one value in one layer")
    return out


def _segment(number: int, fields: Mapping[str, str], layers: int) -> Segment:
    layer = _whole(fields.get("Layer", str(number) if layers > 1 else "0"))
    value = _whole(fields.get("LabelValue", "1"))
    if layer >= layers or value < 1:
        raise FormatError(
            "file/corrupt", "a segment is in no layer of the file, or has the value of the background"
        )
    part = Part(
        key=number,
        name=fields.get("Name", "") or fields.get("ID", ""),
        code=_code(fields.get("Tags", "")),
        id=fields.get("ID", ""),
    )
    return Segment(part=part, layer=layer, value=value)


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise FormatError("file/corrupt", "the layer or label value of a segment is no whole number")
    return int(text)


def _code(tags: str) -> str:
    """The type of a terminology entry with its modifier, each as SCHEME:VALUE; "" where there is none.

    An entry is context ~ category ~ type ~ modifier ~ ..., and each of these scheme ^ value ^ meaning.
    """
    entry = next((t for t in tags.split("|") if t.startswith(_TERMINOLOGY)), "")
    fields = [f.split("^") for f in entry.split("~")[2:4]]
    codes = [f"{f[0].strip()}:{f[1].strip()}" for f in fields if len(f) > 1 and f[0].strip() and f[1].strip()]
    has_type = bool(fields) and len(fields[0]) > 1 and bool(fields[0][1].strip())
    return "/".join(codes) if has_type else ""


def source_of(header: Mapping[str, Any]) -> str:
    """What was drawn: binary labelmap, closed surface, ...; "" where the file does not say."""
    return next((str(header[key]).strip().lower() for key in _SOURCES if key in header), "")


def object_of(header: dict[str, Any], file_id: str, source: int, site: str) -> AnnotationObject | None:
    """The row of a segmentation; None of any other file."""
    if not is_segmentation(header):
        return None
    parts = [s.part for s in segments_of(header, without_layers(header)[1])]
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format="nrrd",
        labels=tuple(p.name for p in parts),
        numbers=tuple(p.key for p in parts),
        codes=tuple(p.code for p in parts),
        ids=tuple(p.id for p in parts),
        shapes=tuple(p.shape for p in parts),
    )
