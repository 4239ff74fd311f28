"""Fractions: how much of a voxel must be marked to be in a mask, as the cohort says."""

from __future__ import annotations

from dataclasses import replace

from isocenter.imaging.shapes import FractionShape
from isocenter.model.annotation import Annotation, AnnotationState

_RULE = "read/fraction-threshold"


def cut(annotation: Annotation, fraction: float) -> Annotation:
    """A fractional annotation as a mask, with the threshold in its note; any other as it is."""
    shape = annotation.shape
    if not isinstance(shape, FractionShape):
        return annotation
    is_marked = replace(shape, threshold=fraction).is_marked
    told = f"{fraction:g} of {shape.maximum}"
    return replace(
        annotation,
        shape=shape.cut(fraction) if is_marked else None,
        state=AnnotationState.MARKED if is_marked else AnnotationState.ABSENT,
        issues=tuple(replace(i, expected=told) if i.rule == _RULE else i for i in annotation.issues),
    )
