"""Markups of 3D Slicer: points, lines and boxes in .mrk.json, .fcsv and .acsv files, in RAS+ millimetres.

The JSON form is described by the markups schema 1.0.x of Slicer, which says the coordinate system of every markup. The
two older forms are lists; what names no coordinate system there is RAS, as Slicer wrote it before it wrote the name.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import opening
from isocenter.imaging.shapes import BoxShape, PointShape, TurnedBox

MAX_BYTES = 64 << 20
# No point of a patient is a thousand kilometres from another.
_MAX_MM = 1e9
_UNITS_MM = {"mm": 1.0, "um": 1e-3}
_LPS = np.array((-1.0, -1.0, 1.0))
_JOINED = {"Line", "Angle", "Curve", "ClosedCurve"}
# The numbers that .fcsv files of Slicer 4 have in place of the names.
_SYSTEMS = {"RAS": "RAS", "LPS": "LPS", "0": "RAS", "1": "LPS"}
_OLD_COLUMNS = ["label", "x", "y", "z", "sel", "vis"]


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """One thing that was marked.

    Args:
        name: Its free-text name.
        kind: points or boxes.
        shape: Where it is; None where it was prepared and not set.
    """

    name: str
    kind: str
    shape: PointShape | BoxShape | TurnedBox | None


def read_markups(path: Path, expected: Signature | None = None) -> list[Markup]:
    """Everything that a file marks: every point of a list of points, every line, curve, plane and box."""
    with opening(path, expected) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FormatError("file/too-large", "a markups file is too large", expected=f"{MAX_BYTES} bytes")
    text = data.decode("utf-8-sig")
    if text.lstrip()[:1] == "{":
        return _from_json(json.loads(text))
    if not text.endswith("\n"):
        raise FormatError("file/truncated", "the last line of a markups file does not end")
    lines = text.splitlines()
    reader: Callable[[list[str]], list[Markup]] | None = None
    if lines and lines[0].startswith(("# Markups fiducial file", "# Fiducial List file")):
        reader = _from_points
    elif lines and lines[0].startswith("# Annotation file"):
        reader = _from_annotation
    if reader is None:
        raise FormatError("file/unsupported", "a text that is no markups file")
    return reader(lines)


def _from_json(document: Any) -> list[Markup]:
    if not isinstance(document, dict) or "markups-schema" not in str(document.get("@schema", "")):
        raise FormatError("file/unsupported", "a JSON file that is no markups file")
    return [each for item in document["markups"] for each in _of_item(item)]


def _of_item(item: dict[str, Any]) -> list[Markup]:
    kind, name = str(item["type"]), str(item.get("name", ""))
    to_ras = _to_ras(item)
    points = item.get("controlPoints") or []
    if kind == "ROI":
        return [Markup(name, "boxes", _box(item, to_ras))]
    places = [None if p.get("positionStatus", "defined") != "defined" else p["position"] for p in points]
    if kind == "Fiducial":
        labels = [str(p.get("label") or f"{name}-{n}") for n, p in enumerate(points, 1)]
        return [
            Markup(label, "points", None if at is None else PointShape(to_ras(_points([at]))))
            for label, at in zip(labels, places, strict=True)
        ]
    known = [at for at in places if at is not None]
    shape = PointShape(to_ras(_points(known)), is_line=kind in _JOINED) if known else None
    return [Markup(name or (str(points[0].get("label", "")) if points else ""), "points", shape)]


def _to_ras(item: dict[str, Any]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """What takes coordinates of a markup to RAS+ millimetres."""
    system, unit = str(item.get("coordinateSystem", "LPS")), item.get("coordinateUnits", "mm")
    unit = unit[0] if isinstance(unit, list) else unit
    if system not in {"LPS", "RAS"} or unit not in _UNITS_MM:
        raise FormatError("file/unsupported", "markups in a coordinate system or unit that is not known")
    factors = (_LPS if system == "LPS" else 1.0) * np.full(3, _UNITS_MM[unit])
    return lambda points: points * factors


def _box(
    item: dict[str, Any], to_ras: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> BoxShape | TurnedBox | None:
    """A region of interest: its middle, its edges, and the directions of these, in the columns of a matrix."""
    if item.get("center") is None or item.get("size") is None:
        return None
    if item.get("insideOut"):
        raise FormatError("file/unsupported", "a region that means everything outside it")
    centre, size = (_points([item[key]])[0] for key in ("center", "size"))
    axes = np.array(item.get("orientation", np.eye(3).ravel()), np.float64).reshape(3, 3).T
    turned = to_ras(axes)
    lengths = np.linalg.norm(turned, axis=1)
    scale = float(lengths[0])
    if (
        not np.isfinite(axes).all()
        or (size < 0).any()
        or not np.allclose(axes @ axes.T, np.eye(3), atol=1e-3)
        or not scale > 0
    ):
        raise FormatError(
            "file/corrupt", "a region without a size or with edges that are not at right angles"
        )
    return box_of(to_ras(centre), turned / scale, size * scale)


def box_of(
    centre: NDArray[np.float64], axes: NDArray[np.float64], size: NDArray[np.float64]
) -> BoxShape | TurnedBox:
    """A box; a plain one where its edges run along the patient's axes."""
    box = TurnedBox(centre, axes, size)
    is_plain = np.isclose(np.abs(axes), np.round(np.abs(axes)), atol=1e-6).all()
    return box.around if is_plain else box


def _points(values: list[Any]) -> NDArray[np.float64]:
    points = np.array(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not (np.abs(points) < _MAX_MM).all():
        raise FormatError("file/corrupt", "coordinates that are no points")
    return points


def _from_points(lines: list[str]) -> list[Markup]:
    """A list of points (.fcsv), its columns and coordinate system in comments before them."""
    columns, system = _OLD_COLUMNS, "RAS"
    for line in lines:
        word, _, value = line.lstrip("# ").partition("=")
        if line.startswith("#") and word.strip().lower() == "coordinatesystem":
            system = _SYSTEMS.get(value.strip(), "")
        elif line.startswith("#") and word.strip() == "columns":
            columns = [c.strip() for c in value.split(",")]
    if not system:
        raise FormatError("file/unsupported", "points in a coordinate system that is not known")
    if not {"x", "y", "z"} <= set(columns):
        raise FormatError("file/corrupt", "a list of points without columns of coordinates")
    out: list[Markup] = []
    for row in csv.reader(line for line in lines if line.strip() and not line.startswith("#")):
        cells = dict(zip(columns, row, strict=False))
        point = _points([[cells["x"], cells["y"], cells["z"]]])
        name = cells.get("label") or cells.get("id") or str(len(out) + 1)
        out.append(Markup(name, "points", PointShape(point * (_LPS if system == "LPS" else 1.0))))
    return out


def _from_annotation(lines: list[str]) -> list[Markup]:
    """An annotation of Slicer 4 (.acsv): a point, a line between two, or the middle and half edges of a box."""
    name = next((line.partition("=")[2].strip() for line in lines if line.startswith("# Name =")), "")
    rows = [line.split("|") for line in lines if not line.startswith("#")]
    points = _points([row[1:4] for row in rows if row[0] == "point"])
    has_ruler = any(row[0] == "ruler" for row in rows) or any("rulerColumns" in line for line in lines)
    is_joined = any(row[0] == "line" for row in rows)
    if len(points) == 2 and is_joined and not has_ruler:
        if (points[1] < 0).any():
            raise FormatError("file/corrupt", "a region with a negative size")
        return [Markup(name, "boxes", box_of(points[0], np.eye(3), 2 * points[1]))]
    return [Markup(name, "points", PointShape(points, is_line=is_joined))]
