"""DICOM SR: measurements with coordinates in the patient (TID 1500, SCOORD3D)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.instance import kind_of_object
from isocenter.formats.dicom.reports import Measured, measured_of
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.reasons import because

SHAPES = ("contours", "mask", "points")


def names(path: Path) -> dict[int, str]:
    """Numbers in the order of the report, and names."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """The measurement groups that say where they were measured; one with lines and regions is several."""
    return tuple(
        Part(key=n, name=one.name, code=one.code, shape=one.kind, picture=one.picture)
        for n, one in enumerate(_measured(path), 1)
    )


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number; coordinates in pixels of an image that is not named are told."""
    found = dict(enumerate(_measured(path, expected), 1))
    return tuple(
        _annotation(found[key], wanted[key], annotation_id, rater) for key in sorted(set(wanted) & set(found))
    )


def _annotation(one: Measured, concept: str, annotation_id: str, rater: str) -> Annotation:
    issues = () if one.shape is not None else (because("read/in-pixels", target=annotation_id),)
    return Annotation(
        id=annotation_id,
        concept=concept,
        rater=rater,
        state=AnnotationState.NOT_ANNOTATED if one.shape is None else AnnotationState.MARKED,
        shape=one.shape,
        on=one.picture,
        source="dicom-report",
        issues=issues,
    )


def _measured(path: Path, expected: Signature | None = None) -> list[Measured]:
    with parsing("the report"):
        dataset, has_pixels = read_header(path, expected=expected)
        header = Header(dataset)
        if kind_of_object(header, has_pixels=has_pixels) != "dicom-report":
            raise FormatError("file/unsupported", "a DICOM object that is no report")
        return measured_of(header)
