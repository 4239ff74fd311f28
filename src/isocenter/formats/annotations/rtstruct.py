"""RTSTRUCT: contours of an RT Structure Set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.instance import kind_of_object
from isocenter.formats.dicom.structures import contours_of, rois_of
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.reasons import because

SHAPES = ("contours",)


def names(path: Path) -> dict[int, str]:
    """ROI numbers and names."""
    with parsing("the structure set"):
        return rois_of(_header(path))


def parts(path: Path) -> tuple[Part, ...]:
    """The regions."""
    return tuple(Part(key=key, name=name, shape="contours") for key, name in names(path).items())


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted ROI number; points and open contours make no volume and are counted."""
    with parsing("the structure set"):
        header = _header(path, expected)
        numbers = sorted(set(wanted) & set(rois_of(header)))
        return tuple(_annotation(header, n, wanted[n], annotation_id, rater) for n in numbers)


def _annotation(header: Header, number: int, concept: str, annotation_id: str, rater: str) -> Annotation:
    shape, others = contours_of(header, number)
    if shape is not None:
        state = AnnotationState.MARKED
    else:
        # what was marked by a point is there, though its voxels are not known
        state = AnnotationState.NOT_ANNOTATED if others else AnnotationState.ABSENT
    issues = (because("read/no-volume", target=annotation_id, measured=others, expected=0),) if others else ()
    return Annotation(
        id=annotation_id,
        concept=concept,
        rater=rater,
        state=state,
        shape=shape,
        source="rtstruct",
        issues=issues,
    )


def _header(path: Path, expected: Signature | None = None) -> Header:
    dataset, has_pixels = read_header(path, expected=expected)
    header = Header(dataset)
    if kind_of_object(header, has_pixels=has_pixels) != "dicom-rtstruct":
        raise FormatError("file/unsupported", "a DICOM object that is no structure set")
    return header
