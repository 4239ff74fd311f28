"""Structured reports of measurements (PS3.16 TID 1500): their groups, and where in the patient each was measured.

A measurement group (TID 1501, and 1410 and 1411 for regions) holds a tracking identifier, a finding, measurements, and
coordinates, which may stand below a measurement that was taken from them: in space (PS3.3 C.18.9), or in pixels of one
image (C.18.6), which is then named below the coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header
from isocenter.imaging.pixel_outlines import PixelOutlines, PixelPoints
from isocenter.imaging.shapes import Contours, EllipsoidShape, PointShape
from isocenter.model.rows import AnnotationObject

REPORT_KEYWORDS = ["ContentSequence", "CurrentRequestedProcedureEvidenceSequence"]

_GROUP, _TRACKING, _FINDING = "DCM:125007", "DCM:112039", "DCM:121071"
_REGIONS = {"POLYGON", "ELLIPSE"}
_POINTS = {"POINT": False, "MULTIPOINT": False, "POLYLINE": True}
_SOLID = "ELLIPSOID"
# Vertices of an ellipse that is drawn as a polygon.
_VERTICES = 256
_LPS = np.array((-1.0, -1.0, 1.0))
Shapes = Contours | EllipsoidShape | PointShape | PixelOutlines | PixelPoints
_SAMPLES = 64


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """One measurement group, or what in it is of one kind.

    Args:
        name: Its tracking identifier, or else what was found.
        code: What was found, as SCHEME:VALUE.
        kind: contours, mask or points.
        shape: Where it is; None where that is said in pixels, and not of which image.
        frame_of_reference_uid: Whose millimetres they are, in space.
        picture: SOP Instance UID of the one image that it is on, with `#` and the number of a frame after the first.
    """

    name: str
    code: str
    kind: str
    shape: Shapes | None
    frame_of_reference_uid: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Graphic:
    type: str
    points: NDArray[np.float64]
    frame: str = ""
    picture: str = ""


def measured_of(header: Header) -> list[Measured]:
    """Every measurement group that says where it was measured, in the order of the report."""
    out: list[Measured] = []
    for group in _groups(header):
        name, code = _name_of(group)
        found, in_pixels = _graphics(group)
        graphics = [g for g in found if not g.picture]
        frames = {g.frame for g in graphics}
        if len(frames) > 1:
            raise FormatError("file/unsupported", "one measurement group has coordinates in several frames")
        shapes = _shapes(graphics)
        out += [
            Measured(name=name, code=code, kind=kind, shape=shape, frame_of_reference_uid=next(iter(frames)))
            for kind, shape in shapes
        ]
        pictures = [p for p in dict.fromkeys(g.picture for g in found) if p]
        out += [
            Measured(name=name, code=code, kind=kind, shape=shape, picture=picture)
            for picture in pictures
            for kind, shape in _shapes_in_pixels([g for g in found if g.picture == picture])
        ]
        if in_pixels and not shapes and not pictures:
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
    """Coordinates at any depth, each once, and the types of those in pixels of an image that is not named."""
    found: dict[tuple[str, str, bytes], _Graphic] = {}
    in_pixels: set[str] = set()
    pending = group.sequence("ContentSequence")[::-1]
    while pending:
        item = pending.pop()
        pending += item.sequence("ContentSequence")[::-1]
        kind = item.text("GraphicType") or ""
        if item.text("ValueType") == "SCOORD":
            picture = _picture_of(item)
            if not picture:
                in_pixels.add(kind)
                continue
            pixels = np.array(item.texts("GraphicData"), dtype=np.float64).reshape(-1, 2)
            if not len(pixels) or not np.isfinite(pixels).all():
                raise FormatError("file/corrupt", "the coordinates of a measurement are no points")
            graphic = _Graphic(kind, pixels, picture=picture)
            found.setdefault((kind, picture, pixels.tobytes()), graphic)
        elif item.text("ValueType") == "SCOORD3D":
            points = np.array(item.texts("GraphicData"), dtype=np.float64).reshape(-1, 3)
            if not len(points) or not np.isfinite(points).all():
                raise FormatError("file/corrupt", "the coordinates of a measurement are no points")
            frame = item.text("ReferencedFrameOfReferenceUID") or ""
            found.setdefault((kind, frame, points.tobytes()), _Graphic(kind, points * _LPS, frame))
    return list(found.values()), in_pixels


def _picture_of(item: Header) -> str:
    """The one image that coordinates in pixels were selected from; "" where none or several are named."""
    pictures = set()
    for child in item.sequence("ContentSequence"):
        for reference in (
            child.sequence("ReferencedSOPSequence") if child.text("ValueType") == "IMAGE" else []
        ):
            frames = [f for f in reference.texts("ReferencedFrameNumber") if f not in {"", "1"}]
            uid = reference.text("ReferencedSOPInstanceUID") or ""
            pictures.add(uid + "".join(f"#{f}" for f in frames))
    return pictures.pop() if len(pictures) == 1 else ""


def _shapes_in_pixels(graphics: list[_Graphic]) -> list[tuple[str, Shapes]]:
    """As `_shapes`, of one image (PS3.3 C.18.6.1.2); a line that ends where it begins is a region."""
    regions, points = [], []
    out: list[tuple[str, Shapes]] = []
    for graphic in graphics:
        ends = graphic.points[[0, -1]]
        if graphic.type == "ELLIPSE":
            regions.append(_ellipse(graphic.points))
        elif graphic.type == "CIRCLE":
            regions.append(_circle(graphic.points))
        elif graphic.type == "POLYLINE" and len(graphic.points) > 3 and (ends[0] == ends[1]).all():
            regions.append(graphic.points)
        elif graphic.type not in _POINTS:
            raise FormatError("file/unsupported", "coordinates of a type that is not known")
        elif _POINTS[graphic.type]:
            out.append(("points", PixelPoints(graphic.points, is_line=True)))
        else:
            points.append(graphic.points)
    if regions:
        out.insert(0, ("contours", PixelOutlines(tuple(regions))))
    if points:
        out.append(("points", PixelPoints(np.concatenate(points))))
    return out


def _circle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A polygon of a circle, given by its middle and one point on it."""
    if len(points) != 2:
        raise FormatError("file/corrupt", "a circle is given by two points")
    turn = 2 * np.pi * np.arange(_VERTICES) / _VERTICES
    radius = np.linalg.norm(points[1] - points[0])
    return np.asarray(points[0] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1))


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


def report_row(header: Header, file_id: str, source: int, site: str) -> AnnotationObject | None:
    """The row of a report of measurements: what was measured, and on which images; None of any other report."""
    found = measured_of(header)
    if not found:
        return None
    evidence = [
        (series.text("SeriesInstanceUID"), image.text("ReferencedSOPInstanceUID"))
        for study in header.sequence("CurrentRequestedProcedureEvidenceSequence")
        for series in study.sequence("ReferencedSeriesSequence")
        for image in series.sequence("ReferencedSOPSequence")
    ]
    images = _images(header) or [uid for _, uid in evidence]
    frames = {m.frame_of_reference_uid for m in found} - {""}
    pictures = tuple(m.picture for m in found)
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format="dicom-report",
        patient_id=header.text("PatientID"),
        patient_id_issuer=header.text("IssuerOfPatientID"),
        patient_name=header.text("PatientName"),
        birth_date=header.text("PatientBirthDate"),
        sop_instance_uid=header.text("SOPInstanceUID"),
        study_uid=header.text("StudyInstanceUID"),
        frame_of_reference_uid=frames.pop() if len(frames) == 1 else None,
        referenced_series_uids=tuple(dict.fromkeys(uid for uid, _ in evidence if uid)),
        referenced_instance_uids=tuple(dict.fromkeys(uid for uid in images if uid)),
        samples_mm=_samples(found),
        labels=tuple(m.name for m in found),
        numbers=tuple(range(1, len(found) + 1)),
        codes=tuple(m.code for m in found),
        ids=("",) * len(found),
        shapes=tuple(m.kind for m in found),
        pictures=pictures if any(pictures) else (),
    )


def _images(item: Header) -> list[str | None]:
    """The images that the content itself speaks of."""
    out: list[str | None] = []
    for child in item.sequence("ContentSequence"):
        if child.text("ValueType") == "IMAGE":
            out += [r.text("ReferencedSOPInstanceUID") for r in child.sequence("ReferencedSOPSequence")]
        out += _images(child)
    return out


def _samples(found: list[Measured]) -> tuple[float, ...]:
    """Some points in space."""
    places = []
    for one in found:
        if isinstance(one.shape, Contours):
            places += [polygon[0] for polygon in one.shape.polygons]
        elif isinstance(one.shape, PointShape):
            places += list(one.shape.points_mm)
        elif isinstance(one.shape, EllipsoidShape):
            places.append(one.shape.centre_mm)
    return tuple(float(v) for p in places[:: max(1, len(places) // _SAMPLES)][:_SAMPLES] for v in p)
