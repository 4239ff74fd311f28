"""Absence: what it means for the labels of an image that a source has nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.model.rows import PlannedAnnotation
from isocenter.stages.enrol.options import (
    Absent,
    AnnotationKind,
    AnnotationSource,
    EnrolOptions,
    TableShape,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What one source says by saying nothing.

    Args:
        labels: Labels that the source speaks of.
        touched: Stacks that it has something of, were it a file that cannot be read or a row left empty.
        unmapped: Those of them that have a file in which no name is a label.
        is_negative: Whether its labels are negative on all other images.
        is_table: Whether it is a table: a row that leaves a label open says that it is not known.
    """

    labels: frozenset[str]
    touched: frozenset[str]
    unmapped: frozenset[str]
    is_negative: bool
    is_table: bool


def silences(
    options: EnrolOptions,
    found: Sequence[Sequence[PlannedAnnotation]],
    unclear: Sequence[set[str]],
) -> list[Silence]:
    """The silence of every source.

    Args:
        options: Labels and sources.
        found: By source, all that was linked.
        unclear: By source, images that may have something of it that is not clear.
    """
    return [
        Silence(
            labels=frozenset(_spoken(number, options, found[number])),
            touched=frozenset({a.on for a in found[number]} | unclear[number]),
            unmapped=frozenset(a.on for a in found[number] if a.file_id and not a.labels),
            is_negative=source.absent is Absent.NEGATIVE,
            is_table=source.kind is AnnotationKind.TABLE,
        )
        for number, source in enumerate(options.annotations)
    ]


def _spoken(number: int, options: EnrolOptions, found: Sequence[PlannedAnnotation]) -> set[str]:
    """Labels that a source names; one that names none speaks of all if it is alone, else of those it marks."""
    labels, source = set(options.contract.labels), options.annotations[number]
    if named := _named(source, labels):
        return named
    if len(options.annotations) == 1:
        return labels
    if source.kind is AnnotationKind.MASKS:  # values of the vocabulary: all labels, but what others name
        others = (s for n, s in enumerate(options.annotations) if n != number)
        return labels.difference(*(_named(s, labels) for s in others))
    return {label for a in found for label in _marked(a)}


def _named(source: AnnotationSource, labels: set[str]) -> set[str]:
    if source.kind is not AnnotationKind.TABLE:
        return labels & set(source.values.values())
    columns = set(source.columns) if source.shape is TableShape.LABELS else set()
    return labels & columns or labels & {source.label}


def _marked(annotation: PlannedAnnotation) -> set[str]:
    if annotation.kind != "labels":
        return set(annotation.labels)
    pairs = zip(annotation.labels, annotation.states, strict=True)
    return {label for label, state in pairs if state == "marked"}
