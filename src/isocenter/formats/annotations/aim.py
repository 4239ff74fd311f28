"""AIM XML: what readers drew on single images or in space (Annotation and Image Markup 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.aim_file import AimFile, Drawn, read_aim
from isocenter.formats.boundary import parsing
from isocenter.formats.drawings import row_of
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject

SHAPES = ("contours", "mask", "points", "labels")


def names(path: Path) -> dict[int, str]:
    """Numbers in the order of the file, and names."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """What was drawn for every annotation, image by image; what it is of can be told by its code, too."""
    return _parts(_read(path))


def row(path: Path, file_id: str, source: int, site: str) -> AnnotationObject:
    """What is in the file, of whom, and on which images."""
    found = _read(path)
    frames = {d.frame_of_reference_uid for d in found.drawn} - {"", "unknown"}
    return row_of(
        "aim",
        _parts(found),
        file_id,
        source,
        site,
        patient_id=found.patient_id,
        patient_name=found.patient_name,
        frame_of_reference_uid=frames.pop() if len(frames) == 1 else None,
        referenced_series_uids=found.series_uids,
        referenced_instance_uids=found.image_uids,
        raters=tuple(d.rater for d in found.drawn),
    )


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted number; one of which nothing was drawn is there, though nobody knows where."""
    found = dict(enumerate(_read(path, expected).drawn, 1))
    return tuple(
        _annotation(found[key], wanted[key], annotation_id, rater) for key in sorted(set(wanted) & set(found))
    )


def _annotation(one: Drawn, concept: str, annotation_id: str, rater: str) -> Annotation:
    issues = () if one.shape is not None else (because("read/no-volume", target=annotation_id),)
    return Annotation(
        id=annotation_id,
        concept=concept,
        rater=rater or one.rater,
        state=AnnotationState.NOT_ANNOTATED if one.shape is None else AnnotationState.MARKED,
        shape=one.shape,
        on=one.picture,
        source="aim",
        issues=issues,
    )


def _parts(found: AimFile) -> tuple[Part, ...]:
    return tuple(
        Part(
            key=n,
            name=d.name,
            code=d.code,
            id=d.meaning,
            shape=d.kind,
            rater=d.rater,
            picture=d.picture,
        )
        for n, d in enumerate(found.drawn, 1)
    )


def _read(path: Path, expected: Signature | None = None) -> AimFile:
    with parsing("the AIM file"):
        return read_aim(path, expected)
