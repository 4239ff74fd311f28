"""DICOM SEG: the segments of a Segmentation object, each a mask on the object's own grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.segment_frames import SegmentFrames, open_segmentation
from isocenter.formats.dicom.segmentation import FRACTIONAL, LABELMAP
from isocenter.imaging.shapes import FractionShape, MaskShape
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.issue import Issue
from isocenter.model.reasons import because

SHAPES = ("mask",)

Arrays = dict[int, NDArray[Any]]


def names(path: Path) -> dict[int, str]:
    """Segment numbers and labels."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """The segments, with their codes."""
    with parsing("the segmentation"), open_segmentation(path) as found:
        return tuple(found.about.parts.values())


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted segment; segments may overlap, and one without a frame is absent."""
    with parsing("the segmentation"), open_segmentation(path, expected) as found:
        numbers = sorted(set(wanted) & set(found.about.parts))
        arrays = _arrays(found, numbers)
        return tuple(_annotation(found, arrays.get(n), wanted[n], annotation_id, rater) for n in numbers)


def _annotation(
    found: SegmentFrames,
    array: NDArray[Any] | None,
    concept: str,
    annotation_id: str,
    rater: str,
) -> Annotation:
    grid, issues = found.about.lattice.grid, tuple[Issue, ...]()
    shape: MaskShape | FractionShape | None = None
    is_marked = False
    if array is not None and array.any():
        if found.about.type == FRACTIONAL:
            shape = FractionShape(array, found.about.maximum, grid)
            is_marked = shape.is_marked
            issues = (_threshold(shape, found.about.fraction, annotation_id),)
        else:
            shape, is_marked = MaskShape(array, grid, is_part=True), True
    return Annotation(
        id=annotation_id,
        concept=concept,
        rater=rater,
        state=AnnotationState.MARKED if is_marked else AnnotationState.ABSENT,
        shape=shape,
        grid=grid,
        source="dicom-seg",
        issues=issues,
    )


def _threshold(shape: FractionShape, fraction: str, annotation_id: str) -> Issue:
    """How a fractional segment becomes a mask where nobody says otherwise."""
    return because(
        "read/fraction-threshold",
        target=annotation_id,
        measured=fraction or None,
        expected=f"{shape.threshold:g} of {shape.maximum}",
    )


def _arrays(found: SegmentFrames, numbers: list[int]) -> Arrays:
    """Voxels (K, J, I) of the segments that have frames, each frame at its own place; fractions as they are."""
    about = found.about
    shape, out = about.lattice.grid.shape, Arrays()
    for frame, (segment, place) in enumerate(zip(about.frames, about.lattice.places, strict=True)):
        if about.type == LABELMAP:
            values = found.plane(frame)
            seen = np.flatnonzero(np.bincount(values.ravel())).tolist()
            if not {*about.parts, about.background, 0}.issuperset(seen):
                raise FormatError("read/values", "a label map has values that are no segment")
            for number in sorted({*seen} & {*numbers}):
                out.setdefault(number, np.zeros(shape, np.bool_))[place] = values == number
        elif segment in numbers:
            values = found.plane(frame)
            if values.max() > about.maximum:
                raise FormatError(
                    "read/values",
                    "a segmentation has values above its maximum",
                    measured=int(values.max()),
                    expected=about.maximum,
                )
            dtype = values.dtype if about.type == FRACTIONAL else np.bool_
            out.setdefault(segment, np.zeros(shape, dtype))[place] = values
    if about.is_exclusive and about.type != FRACTIONAL:
        _refuse_overlap(out)
    return out


def _refuse_overlap(masks: Arrays) -> None:
    """Refuse segments that overlap although the object says that they do not."""
    seen: NDArray[np.bool_] | None = None
    for mask in masks.values():
        if seen is None:
            seen = mask.copy()
        elif (seen & mask).any():
            raise FormatError("read/values", "segments overlap, and the object says that they do not")
        else:
            seen |= mask
