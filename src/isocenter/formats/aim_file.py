"""AIM files (Annotation and Image Markup 3 and 4): the annotations in them, and what was drawn for each.

Version 4 writes values as attributes of elements of their own (`<x value="1"/>`), version 3 as attributes of the
coordinate (`<SpatialCoordinate x="1" .../>`). Two-dimensional positions are pixels of one image, counted as in DICOM
(PS3.3 C.10.5.1.2); three-dimensional ones are LPS millimetres of a frame of reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.xml_file import read_xml
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.shapes import Contours, EllipsoidShape, PointShape

ROOTS = ("ImageAnnotationCollection", "ImageAnnotation")
_LPS = np.array((-1.0, -1.0, 1.0))
_CODE, _CIRCLE = "typeCode", 256
Shapes = PixelOutlines | PixelPoints | Contours | EllipsoidShape | PointShape


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Drawn:
    """What one annotation has of one kind on one image, or in space.

    Args:
        name: What the annotation is called.
        meaning: What it is of.
        code: The same as SCHEME:VALUE.
        rater: Who made it.
        kind: contours, mask or points.
        picture: SOP Instance UID of the image, with `#` and the number of a frame after the first; "" in space.
        shape: Where it is; None where there is no more than a reference.
        frame_of_reference_uid: Whose millimetres they are, in space.
    """

    name: str
    meaning: str
    code: str
    rater: str
    kind: str
    picture: str
    shape: Shapes | None
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AimFile:
    """An AIM file: what was drawn, and of whom."""

    drawn: tuple[Drawn, ...]
    patient_id: str | None = None
    patient_name: str | None = None
    series_uids: tuple[str, ...] = ()
    image_uids: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What was drawn by kind on one image."""

    polygons: list[NDArray[np.float64]] = field(default_factory=list)
    holes: list[NDArray[np.float64]] = field(default_factory=list)
    points: list[NDArray[np.float64]] = field(default_factory=list)
    lines: list[NDArray[np.float64]] = field(default_factory=list)
    solids: list[EllipsoidShape] = field(default_factory=list)


def read_aim(path: Path, expected: Signature | None = None) -> AimFile:
    """All annotations of a file."""
    root = read_xml(path, ROOTS, expected)
    rater = _rater(root)
    return AimFile(
        drawn=tuple(d for one in _annotations(root) for d in _of_annotation(one, _rater(one) or rater)),
        patient_id=_person(root, "id", "patientID"),
        patient_name=_person(root, "name", "name"),
        series_uids=_uids(root, ("imageSeries", "ImageSeries", "Series")),
        image_uids=_images(root),
    )


def _annotations(root: ET.Element) -> list[ET.Element]:
    if root.tag == ROOTS[1]:
        return [root]
    return [e for e in root.iter("ImageAnnotation") if e is not root]


def _of_annotation(one: ET.Element, rater: str) -> Iterator[Drawn]:
    found: dict[tuple[str, str], _Found] = {}
    shapes = [*one.iter("MarkupEntity"), *one.iter("GeometricShape")]
    for shape in shapes:
        points, place, frame = _points(shape)
        if points is None:
            continue
        _add(found.setdefault((place, frame), _Found()), shape, points, is_flat=points.shape[1] == 2)
    meaning, code = _type_of(one)
    facts = {"name": _value(one, "name") or meaning, "meaning": meaning, "code": code, "rater": rater}
    for (place, frame), drawings in found.items():
        for kind, made in _shapes(drawings, is_flat=not frame):
            yield Drawn(**facts, kind=kind, picture=place, shape=made, frame_of_reference_uid=frame)
    if not found:
        yield Drawn(**facts, kind="labels", picture="", shape=None)


def _type_of(one: ET.Element) -> tuple[str, str]:
    """What an annotation is of, and its code: of what was observed, else of the annotation."""
    observed = [
        e
        for tag in ("ImagingObservationEntity", "ImagingObservation", "AnatomicEntity")
        for e in one.iter(tag)
    ]
    for element in (*observed, one):
        code = element.find(_CODE)
        if code is None:
            value, scheme = element.get("codeValue", ""), element.get("codingSchemeDesignator", "")
            meaning = element.get("codeMeaning", "")
        else:
            value, scheme = code.get("code", ""), code.get("codeSystemName", "") or code.get("codeSystem", "")
            meaning = _value(code, "displayName")
        if value or meaning:
            return meaning, f"{scheme}:{value}" if value and scheme else ""
    return "", ""


def _points(shape: ET.Element) -> tuple[NDArray[np.float64] | None, str, str]:
    """Points in their order, (N, 2) or (N, 3); the image, or the frame of reference, that they are in."""
    rows: list[tuple[int, list[float]]] = []
    images, frames, numbers = set[str](), set[str](), set[str]()
    for point in shape.iter():
        if not point.tag.endswith("SpatialCoordinate"):
            continue
        axes = [a for a in "xyz" if _value(point, a)]
        if axes not in (["x", "y"], ["x", "y", "z"]):
            raise FormatError("file/corrupt", "a point without coordinates")
        rows.append(
            (int(_value(point, "coordinateIndex") or len(rows)), [float(_value(point, a)) for a in axes])
        )
        images |= {point.get("imageReferenceUID", "")}
        frames |= {point.get("frameOfReferenceUID", "")}
        numbers |= {point.get("referencedFrameNumber", "")}
    if not rows:
        return None, "", ""
    images |= {_value(shape, "imageReferenceUid"), _value(shape, "imageReferenceUID")}
    frames |= {_value(shape, "frameOfReferenceUid"), _value(shape, "frameOfReferenceUID")}
    numbers |= {_value(shape, "referencedFrameNumber")}
    points = np.array([p for _, p in sorted(rows, key=lambda r: r[0])], dtype=np.float64)
    if not np.isfinite(points).all() or len({n for n, _ in rows}) < len(rows):
        raise FormatError("file/corrupt", "points that are none, or two of one number")
    if points.shape[1] == 3:
        return points * _LPS, "", _one(frames) or "unknown"
    number = _one(numbers - {"1", "0", "-1"})
    return points, _one(images) + (f"#{int(number)}" if number else ""), ""


def _one(texts: set[str]) -> str:
    known = texts - {""}
    if len(known) > 1:
        raise FormatError(
            "file/unsupported", "one drawing is on several images, or in several frames of reference"
        )
    return next(iter(known), "")


def _add(found: _Found, shape: ET.Element, points: NDArray[np.float64], *, is_flat: bool) -> None:
    """Take in one drawing by its type, which is the same word in both versions but for the dimensions."""
    named = next((v for k, v in shape.attrib.items() if k.rpartition("}")[2] == "type"), "")
    kind = named.rpartition(":")[2].removeprefix("TwoDimension").removeprefix("ThreeDimension").lower()
    is_left_out = _value(shape, "includeFlag").lower() == "false"
    regions = found.holes if is_left_out else found.polygons
    if kind in {"polyline", "polygon"}:
        is_closed = (
            kind == "polygon" or (len(points) > 3 and bool((points[0] == points[-1]).all())) or is_flat
        )
        if is_closed and len(points) > 2:
            regions.append(points)
        else:
            found.lines.append(points)
    elif kind == "circle" and is_flat and len(points) == 2:
        radius = float(np.linalg.norm(points[1] - points[0]))
        turn = 2 * np.pi * np.arange(_CIRCLE) / _CIRCLE
        regions.append(points[0] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    elif kind == "ellipse" and len(points) == 4:
        turn = 2 * np.pi * np.arange(_CIRCLE) / _CIRCLE
        halves = np.stack([points[1] - points[0], points[3] - points[2]]) / 2
        regions.append(points.mean(axis=0) + np.stack([np.cos(turn), np.sin(turn)], axis=1) @ halves)
    elif kind == "ellipsoid" and not is_flat and len(points) == 6:
        found.solids.append(EllipsoidShape(points.mean(axis=0), (points[1::2] - points[::2]) / 2))
    elif kind == "point" and len(points) == 1:
        found.points.append(points)
    elif kind == "multipoint":
        (found.lines if len(points) > 1 else found.points).append(points)
    else:
        raise FormatError("file/unsupported", "a drawing of a type that is not known")


def _shapes(found: _Found, *, is_flat: bool) -> list[tuple[str, Shapes]]:
    """Regions as one structure, every solid and line for itself, and all points together."""
    out: list[tuple[str, Shapes]] = []
    if found.polygons or found.holes:
        if is_flat:
            out.append(("contours", PixelOutlines(tuple(found.polygons), tuple(found.holes))))
        elif found.holes:
            raise FormatError("file/unsupported", "a region in space that is left out")
        else:
            out.append(("contours", Contours(tuple(found.polygons))))
    out += [("mask", solid) for solid in found.solids]
    form = PixelPoints if is_flat else PointShape
    out += [("points", form(line, is_line=True)) for line in found.lines]
    if found.points:
        out.append(("points", form(np.concatenate(found.points))))
    return out


def _value(element: ET.Element, name: str) -> str:
    """A value of an element: an attribute of it, or an attribute or the text of a child."""
    if own := element.get(name, ""):
        return own.strip()
    child = element.find(name)
    if child is None:
        return ""
    return (child.get("value") or child.get("root") or child.text or "").strip()


def _rater(element: ET.Element) -> str:
    """Who made an annotation."""
    for user in (*element.findall("user"), *element.findall("user/User")):
        if name := _value(user, "loginName") or _value(user, "name"):
            return name
    return ""


def _person(root: ET.Element, name: str, old: str) -> str | None:
    for person in (*root.iter("person"), *root.iter("Person"), *root.iter("Patient")):
        found = _value(person, old if person.tag == "Patient" else name)
        if found and found != "0":
            return found
    return None


def _uids(root: ET.Element, tags: tuple[str, ...]) -> tuple[str, ...]:
    found = (
        _value(e, name) for tag in tags for e in root.iter(tag) for name in ("instanceUid", "instanceUID")
    )
    return tuple(sorted({uid for uid in found if uid}))


def _images(root: ET.Element) -> tuple[str, ...]:
    names = ("sopInstanceUid", "sopInstanceUID")
    found = (_value(e, name) for e in root.iter("Image") for name in names)
    return tuple(sorted({uid for uid in found if uid}))
