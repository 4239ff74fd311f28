"""3D Slicer markups: points, lines and boxes (.mrk.json, .fcsv, .acsv)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.drawings import row_of
from isocenter.formats.markups import Markup, read_markups
from isocenter.imaging.shapes import BoxShape, PointShape
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.rows import AnnotationObject

SHAPES = ("boxes", "points")
_SAMPLES = 64


def names(path: Path) -> dict[int, str]:
    """Numbers in the order of the file, and names."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """What was marked: every point of a list is one, and so is every line and every box."""
    with parsing("the markups file"):
        return _parts(read_markups(path))


def row(path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
    """What is in the file; it says where in space, and not on which image."""
    with parsing("the markups file"):
        found = read_markups(path)
        places = [tuple(p) for one in found for p in _places(one)]
    samples = tuple(float(v) for p in places[:: max(1, len(places) // _SAMPLES)][:_SAMPLES] for v in p)
    return row_of("slicer-markups", _parts(found), file_id, source, site, samples_mm=samples)


def _parts(found: list[Markup]) -> tuple[Part, ...]:
    return tuple(Part(key=n, name=one.name, shape=one.kind) for n, one in enumerate(found, 1))


def _places(one: Markup) -> list[tuple[float, ...]]:
    """Its points, or the middle of a box: of regions that reach beyond the image, that is inside."""
    if one.shape is None:
        return []
    if isinstance(one.shape, PointShape):
        return [tuple(p) for p in one.shape.points_mm.tolist()]
    if isinstance(one.shape, BoxShape):
        return [tuple(np.mean([one.shape.lo_mm, one.shape.hi_mm], axis=0).tolist())]
    return [tuple(one.shape.centre_mm.tolist())]


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
