"""RTSTRUCT: contours of an RT Structure Set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.formats.dicom.header import read_header
from isocenter.formats.dicom.structures import contours_of, object_of
from isocenter.imaging.shapes import Contours
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.reasons import because


def names(path: Path) -> dict[int, str]:
    """ROI numbers and names."""
    header, _ = read_header(path)
    found = object_of(header, "", 0, "")
    return dict(zip(found.numbers, found.labels, strict=True))


def read(path: Path, wanted: Mapping[int, str], *, annotation_id: str, rater: str) -> tuple[Annotation, ...]:
    """One annotation per wanted ROI number; points and open contours make no volume and are counted."""
    header, _ = read_header(path)
    known = object_of(header, "", 0, "").numbers
    out = []
    for number in sorted(set(wanted) & set(known)):
        contours, others = contours_of(header, number)
        issues = (
            (because("read/no-volume", target=annotation_id, measured=others, expected=0),) if others else ()
        )
        out.append(
            Annotation(
                id=annotation_id,
                concept=wanted[number],
                rater=rater,
                state=AnnotationState.MARKED if contours else AnnotationState.ABSENT,
                shape=Contours(tuple(contours)) if contours else None,
                source="rtstruct",
                issues=issues,
            )
        )
    return tuple(out)
