"""Structured reports of measurements (PS3.16 TID 1500): their groups, and where in the patient each was measured.

A measurement group (TID 1501, and 1410 and 1411 for regions) holds a tracking identifier, a finding, measurements, and
coordinates in space (PS3.3 C.18.9), which may stand below a measurement that was taken from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header
from isocenter.imaging.shapes import Contours, EllipsoidShape, PointShape

_GROUP, _TRACKING, _FINDING = "DCM:125007", "DCM:112039", "DCM:121071"
_REGIONS = {"POLYGON", "ELLIPSE"}
_POINTS = {"POINT": False, "MULTIPOINT": False, "POLYLINE": True}
_SOLID = "ELLIPSOID"
# Vertices of an ellipse that is drawn as a polygon.
_VERTICES = 256
_LPS = np.array((-1.0, -1.0, 1.0))
Shapes = Contours | EllipsoidShape | PointShape


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """One measurement group, or what in it is of one kind.

    Args:
        name: Its tracking identifier, or else what was found.
        code: What was found, as SCHEME:VALUE.
        kind: contours, mask or points.
        shape: Where it is; None where that is said in pixels of single images only.
        frame_of_reference_uid: Whose millimetres they are.
    """

    name: str
    code: str
    kind: str
    shape: Shapes | None
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Graphic:
    type: str
    points: NDArray[np.float64]
    frame: str


def measured_of(header: Header) -> list[Measured]:
    """Every measurement group that says where it was measured, in the order of the report."""
    out: list[Measured] = []
    for group in _groups(header):
        name, code = _name_of(group)
        graphics, in_pixels = _graphics(group)
        frames = {g.frame for g in graphics}
        if len(frames) > 1:
            raise FormatError("file/unsupported", "one measurement group has coordinates in several frames")
        shapes = _shapes(graphics)
        out += [
            Measured(name=name, code=code, kind=kind, shape=shape, frame_of_reference_uid=next(iter(frames)))
            for kind, shape in shapes
        ]
        if in_pixels and not shapes:
            kind = "contours" if in_pixels & {*_REGIONS, "CIRCLE"} else "points"
            out.append(Measured(name=name, code=code, kind=kind, shape=None))
    return out


def _groups(item: Header) -> Iterator[Header]:
    for child in item.sequence("ContentSequence"):
        if child.text("ValueType") == "CONTAINER" and _code(child, "ConceptNameCodeSequence")[0] == _GROUP:
            yield child
        else:
            yield from _groups(child)


def _code(item: Header, keyword: str) -> tuple[str, str]:
    """A coded concept as SCHEME:VALUE, and its meaning."""
    found = item.sequence(keyword)
    if not found:
        return "", ""
    value = found[0].text("CodeValue") or found[0].text("LongCodeValue") or ""
    scheme = found[0].text("CodingSchemeDesignator") or ""
    return (f"{scheme}:{value}" if value else ""), found[0].text("CodeMeaning") or ""


def _name_of(group: Header) -> tuple[str, str]:
    name = meaning = code = ""
    for child in group.sequence("ContentSequence"):
        concept, _ = _code(child, "ConceptNameCodeSequence")
        if concept == _TRACKING and not name:
            name = child.text("TextValue") or ""
        elif concept == _FINDING and not code:
            code, meaning = _code(child, "ConceptCodeSequence")
    return name or meaning, code


def _graphics(group: Header) -> tuple[list[_Graphic], set[str]]:
    """Coordinates in the patient at any depth, each once, and the types of those in pixels of an image."""
    found: dict[tuple[str, str, bytes], _Graphic] = {}
    in_pixels: set[str] = set()
    pending = group.sequence("ContentSequence")[::-1]
    while pending:
        item = pending.pop()
        pending += item.sequence("ContentSequence")[::-1]
        kind = item.text("GraphicType") or ""
        if item.text("ValueType") == "SCOORD":
            in_pixels.add(kind)
        elif item.text("ValueType") == "SCOORD3D":
            points = np.array(item.texts("GraphicData"), dtype=np.float64).reshape(-1, 3)
            if not len(points) or not np.isfinite(points).all():
                raise FormatError("file/corrupt", "the coordinates of a measurement are no points")
            frame = item.text("ReferencedFrameOfReferenceUID") or ""
            found.setdefault((kind, frame, points.tobytes()), _Graphic(kind, points * _LPS, frame))
    return list(found.values()), in_pixels


def _shapes(graphics: list[_Graphic]) -> list[tuple[str, Shapes]]:
    """Regions as one structure, every solid and every line for itself, and all points together."""
    regions, points = [], []
    out: list[tuple[str, Shapes]] = []
    for graphic in graphics:
        if graphic.type == "POLYGON":
            regions.append(graphic.points)
        elif graphic.type == "ELLIPSE":
            regions.append(_ellipse(graphic.points))
        elif graphic.type == _SOLID:
            out.append(("mask", _ellipsoid(graphic.points)))
        elif graphic.type not in _POINTS:
            raise FormatError("file/unsupported", "coordinates of a type that is not known")
        elif _POINTS[graphic.type]:
            out.append(("points", PointShape(graphic.points, is_line=True)))
        else:
            points.append(graphic.points)
    if regions:
        out.insert(0, ("contours", Contours(tuple(regions))))
    if points:
        out.append(("points", PointShape(np.concatenate(points))))
    return out


def _ellipse(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A polygon of an ellipse, given by the ends of its long and of its short axis (PS3.3 C.18.9.1.2)."""
    if len(points) != 4:
        raise FormatError("file/corrupt", "an ellipse is given by four points")
    middle = points.mean(axis=0)
    turn = 2 * np.pi * np.arange(_VERTICES) / _VERTICES
    halves = np.stack([points[1] - points[0], points[3] - points[2]]) / 2
    return np.asarray(middle + np.stack([np.cos(turn), np.sin(turn)], axis=1) @ halves)


def _ellipsoid(points: NDArray[np.float64]) -> EllipsoidShape:
    """An ellipsoid, given by the ends of its three axes."""
    if len(points) != 6:
        raise FormatError("file/corrupt", "an ellipsoid is given by six points")
    halves = (points[1::2] - points[::2]) / 2
    lengths = np.linalg.norm(halves, axis=1)
    if not (lengths > 0).all() or abs(np.linalg.det(halves / lengths[:, None])) < 0.99:
        raise FormatError("file/corrupt", "the axes of an ellipsoid are not at right angles")
    return EllipsoidShape(points.mean(axis=0), halves)
