"""3D Slicer markups: points, lines and boxes (.mrk.json, .fcsv, .acsv)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.markups import read_markups
from isocenter.model.annotation import Annotation, AnnotationState, Part


def names(path: Path) -> dict[int, str]:
    """Numbers in the order of the file, and names."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """What was marked: every point of a list is one, and so is every line and every box."""
    with parsing("the markups file"):
        found = read_markups(path)
    return tuple(Part(key=n, name=one.name, shape=one.kind) for n, one in enumerate(found, 1))


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number; what was prepared but not set is not annotated."""
    with parsing("the markups file"):
        found = dict(enumerate(read_markups(path, expected), 1))
    return tuple(
        Annotation(
            id=annotation_id,
            concept=wanted[key],
            rater=rater,
            state=AnnotationState.NOT_ANNOTATED if found[key].shape is None else AnnotationState.MARKED,
            shape=found[key].shape,
            source="slicer-markups",
        )
        for key in sorted(set(wanted) & set(found))
    )
