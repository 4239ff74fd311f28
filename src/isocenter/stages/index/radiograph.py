"""Attributes of a radiograph: what it is for, its view and side, its spacing, and the window it was read in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isocenter.imaging.windows import inverted, is_possible
from isocenter.model.attributes import Attribute
from isocenter.model.radiograph import RADIOGRAPHS, is_negative
from isocenter.model.task import Window
from isocenter.stages.index.columns import RADIOGRAPH_COLUMNS, Members
from isocenter.stages.index.spacing import Spacing, spacing_of

# Names of the attributes that a radiograph may have.
RADIOGRAPH_ATTRIBUTES = (
    *(
        "presentation_intent",
        "view",
        "laterality",
        "laterality_of_series",
        "patient_orientation",
        "spacing_kind",
    ),
    *("detector_spacing_mm", "magnification", "voi_centre", "voi_width", "voi_function", "voi_lut"),
)
_INTENTS = {"FOR PRESENTATION": "presentation", "FOR PROCESSING": "processing"}
# View Position (0018,5101; PS3.3 C.8.1.1 and C.8.11.5) and the names that devices write instead.
_VIEWS = {
    **{v: v for v in ("AP", "PA", "LL", "RL", "LLD", "RLD", "LLO", "RLO")},
    **{v: v for v in ("CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL", "XCCM", "FB", "SIO", "ISO")},
    **dict.fromkeys(("LAT", "LATERAL", "L"), "LATERAL"),
}
# View Code Sequence (0054,0220): CID 4010 and 4014 (PS3.16) as SNOMED CT writes them, and as SNOMED RT did.
_VIEW_CODES = {
    **dict.fromkeys(("399348003", "R-10206"), "AP"),
    **dict.fromkeys(("272479007", "R-40888", "R-10214"), "PA"),
    **dict.fromkeys(("399173006", "R-10236"), "LL"),
    **dict.fromkeys(("399198007", "R-10232"), "RL"),
    **dict.fromkeys(("399067008", "R-102CD"), "LATERAL"),
    **dict.fromkeys(("399162004", "R-10242"), "CC"),
    **dict.fromkeys(("399368009", "R-10226"), "MLO"),
    **dict.fromkeys(("399260004", "R-10224"), "ML"),
    **dict.fromkeys(("399352003", "R-10228"), "LM"),
    **dict.fromkeys(("399099002", "R-10230"), "LMO"),
    **dict.fromkeys(("399196006", "R-10244"), "FB"),
    **dict.fromkeys(("399192008", "R-1024A"), "XCCL"),
    **dict.fromkeys(("399101009", "R-1024B"), "XCCM"),
    **dict.fromkeys(("399188001", "R-102D0"), "SIO"),
    **dict.fromkeys(("441555000", "R-40AAA"), "ISO"),
}
_SIDES = {"L", "R", "B"}
_DIRECTIONS = set("RLAPHF")


def radiograph_row(members: Members, row: int) -> dict[str, Any]:
    """What is coded of one row, and what only radiographs have."""
    return members.row(row) | {n: members.other_at(n, row) for n in RADIOGRAPH_COLUMNS}


def radiograph_attributes(members: Members, row: int) -> tuple[Attribute, ...]:
    """The attributes that one row has because it is a radiograph; what is absent or senseless is left out."""
    if members.value("format", row) != "dicom" or members.value("modality", row) not in RADIOGRAPHS:
        return ()
    values = radiograph_row(members, row)
    found = {**_what(values), **_sides(values), **_spacing(spacing_of(values)), **dict(_voi(values))}
    units = {"detector_spacing_mm": "mm"}
    return tuple(
        Attribute(name=n, value=found[n], unit=units.get(n, ""))
        for n in RADIOGRAPH_ATTRIBUTES
        if found.get(n)
    )


def _what(values: Mapping[str, Any]) -> dict[str, str]:
    """Intent and view: the coded one first, as free entries are often left as they were for the image before."""
    coded = _VIEW_CODES.get(values["view_code"] or "")
    typed = _VIEWS.get((values["view_position"] or "").strip().upper())
    intent = _INTENTS.get((values["presentation_intent"] or "").strip().upper())
    return {"presentation_intent": intent or "", "view": coded or typed or ""}


def _sides(values: Mapping[str, Any]) -> dict[str, str]:
    """The side of the body, of the image before that of the series, and where rows and columns lead."""
    image, series = (_side(values[n]) for n in ("image_laterality", "laterality"))
    directions = [v.strip().upper() for v in values["patient_orientation"]]
    is_known = len(directions) == 2 and all(d and set(d) <= _DIRECTIONS for d in directions)
    return {
        "laterality": image or series,
        "laterality_of_series": series if image and series != image else "",
        "patient_orientation": "/".join(directions) if is_known else "",
    }


def _side(text: str | None) -> str:
    side = (text or "").strip().upper()
    return side if side in _SIDES else ""


def _spacing(spacing: Spacing) -> dict[str, str]:
    detector, factor = spacing.detector_mm, spacing.magnification
    return {
        "spacing_kind": spacing.kind.value,
        "detector_spacing_mm": "" if detector is None else f"{detector[0]:g}",
        "magnification": "" if factor is None else f"{factor:.6g}",
    }


def _voi(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first window of the header (PS3.3 C.11.2), for the values as they are after reading."""
    if values["has_voi_lut"]:
        yield "voi_lut", "yes"
    try:
        centre, width = (float(values[n][0]) for n in ("voi_centre", "voi_width"))
    except (IndexError, ValueError):
        return
    function = (values["voi_function"] or "LINEAR").strip().upper()
    window = Window(name="voi", centre=centre, width=width, unit="stored", function=function)
    if not is_possible(window):
        return
    total = _total_of(values)
    window = window if total is None else inverted(window, total)
    yield from (
        ("voi_centre", f"{window.centre:.10g}"),
        ("voi_width", f"{width:.10g}"),
        ("voi_function", function),
    )


def _total_of(values: Mapping[str, Any]) -> float | None:
    """Sum of a value before and after its inversion; None where the image is not inverted."""
    bits = values["bits_stored"] or values["bits_allocated"]
    is_one = is_negative(
        values["modality"] or "",
        values["photometric"] or "",
        values["rescale_type"] or "",
        has_modality_lut=values["has_modality_lut"],
    )
    if not is_one or not bits:
        return None
    slope = 1.0 if values["rescale_slope"] is None else values["rescale_slope"]
    total = -1 if values["pixel_representation"] else (1 << bits) - 1
    return float(slope * total + 2 * (values["rescale_intercept"] or 0.0))
