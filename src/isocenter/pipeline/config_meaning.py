"""Checks that the parts of a config fit together: labels, channels, and annotations that suit the task."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from isocenter.formats.annotation import ANNOTATIONS
from isocenter.model.task import Label, Task
from isocenter.pipeline.config_draft import Draft
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource, TableShape

_MODALITY = re.compile(r"[A-Z][A-Z0-9_ ]{0,15}")  # a code string, DICOM PS3.5 section 6.2
_OFTEN_MEANT = {"PET": "PT", "MRI": "MR", "XR": "DX", "XRAY": "DX", "X-RAY": "DX", "MAMMO": "MG"}
_KEYS = ("subject", "series", "study", "instance", "path")

_NEEDS = {
    Task.SEGMENTATION: "segmentation needs masks or contours: an entry of kind objects, masks or layout",
    Task.DETECTION: "detection needs boxes, or masks to put boxes around: a table of the shape boxes or centres, objects, masks",
    Task.CLASSIFICATION: "classification needs labels: an entry of kind table",
}


_REMEDY = {
    Task.SEGMENTATION: "set task: detection, or boxes_as_masks: true where boxes are to be filled",
    Task.DETECTION: "set task: classification",
    Task.CLASSIFICATION: "",
}
_BOXED = {TableShape.BOXES, TableShape.CENTRES}
_LABEL_MAPS = {"nifti", "metaimage"}
_MASKS, _OBJECTS = AnnotationKind.MASKS, AnnotationKind.OBJECTS
_LAYOUT, _TABLE = AnnotationKind.LAYOUT, AnnotationKind.TABLE
_PLAIN = AnnotationSource(kind=_OBJECTS)
# Keys that are read of some kinds of origins only.
_KINDS_OF_KEYS = {
    "format": {_OBJECTS},
    "path": {_OBJECTS, _MASKS, _TABLE},
    "image": {_OBJECTS, _MASKS},
    "inside": {_OBJECTS},
    "fraction": {_OBJECTS},
    "covers": {_OBJECTS, _MASKS, _LAYOUT},
    "align": {_OBJECTS, _MASKS, _LAYOUT},
    "accept": {_OBJECTS, _MASKS, _LAYOUT},
    "values": {_MASKS, _LAYOUT},
    "names": {_MASKS},
    "shape": {_TABLE},
    "key": {_TABLE},
    "columns": {_TABLE},
    "separator": {_TABLE},
    "world": {_TABLE},
    "label": {_TABLE},
}


def check_meaning(draft: Draft) -> None:
    """Note what is valid by itself but does not fit the rest; labels without values are numbered."""
    _check_contract(draft)
    _check_sources(draft)
    _check_labels(draft)
    _check_channels(draft)
    _check_task(draft)
    for at, annotation in draft.values.get("annotations", {}).items():
        _check_annotation(draft, at, annotation)


def _check_contract(draft: Draft) -> None:
    """Refuse words about masks where the task makes none, and neighbours that there are not."""
    task = draft.values.get("task")
    for key in ("overlapping", "instances", "boxes_as_masks"):
        if task not in {None, Task.SEGMENTATION} and draft.values.get(key):
            draft.wrong((key,), f"is for the task segmentation, not for {task}")
    if draft.values.get("connectivity", 26) not in {6, 18, 26}:
        draft.wrong(("connectivity",), "must be 6 (faces), 18 (and edges) or 26 (and corners)")


def _check_sources(draft: Draft) -> None:
    if draft.data.get("sources") in ([], ()):
        draft.wrong(("sources",), "name at least one source")
    if draft.values.get("seed", 0) < 0:
        draft.wrong(("seed",), "must not be negative")


def _check_labels(draft: Draft) -> None:
    labels: dict[str, Label] = draft.values.get("labels", {})
    if "labels" not in draft.data or not draft.data["labels"]:
        draft.wrong(("labels",), "is required: name at least one label")
    if not any(label.value for label in labels.values()):
        numbered = enumerate(labels.items(), start=1)
        draft.values["labels"] = {n: replace(label, value=value) for value, (n, label) in numbered}
        return
    counts = Counter(label.value for label in labels.values())
    for name, label in labels.items():
        path = ("labels", name, "value")
        if label.value == 0:
            draft.wrong(path, "is missing or 0, which is background", "give all labels a value, or none")
        elif not 0 < label.value <= 65535:
            draft.wrong(path, "must be between 1 and 65535")
        elif counts[label.value] > 1:
            others = [n for n, o in labels.items() if o.value == label.value and n != name]
            draft.wrong(path, f"{label.value} is also the value of {', '.join(others)}")


def _check_channels(draft: Draft) -> None:
    names = list(draft.data.get("channels") or {})
    if draft.data.get("channels") == {}:
        draft.wrong(("channels",), "name at least one channel")
    reference = draft.values.get("reference", "")
    if reference and names and reference not in names:
        draft.unknown(("reference",), "channel", reference, names)
    for name, channel in draft.values.get("channels", {}).items():
        if not _MODALITY.fullmatch(channel.modality) or channel.modality in _OFTEN_MEANT:
            meant = _OFTEN_MEANT.get(channel.modality.upper(), channel.modality.upper())
            path = ("channels", name, "modality")
            draft.wrong(path, f"{channel.modality!r} is no DICOM modality", f"did you mean {meant!r}?")
        if channel.optional and name == (reference or next(iter(names))):
            draft.wrong(("channels", name, "optional"), "the reference channel cannot be optional")


def _check_task(draft: Draft) -> None:
    task = draft.values.get("task")
    given = draft.data.get("annotations") or []
    valid = draft.values.get("annotations", {})
    if task is None or not isinstance(given, list) or len(valid) < len(given):
        return
    serving = _serving(task, fills=_fills_boxes(draft))
    if any(shapes is not None and not shapes & serving for shapes in map(shapes_of, valid.values())):
        return  # told of the format itself
    if not any(_is_enough(task, a, fills=_fills_boxes(draft)) for a in valid.values()):
        draft.wrong(("annotations",), _NEEDS[task])


def _is_enough(task: Task, annotation: AnnotationSource, *, fills: bool) -> bool:
    """Whether a task can be learned from one origin of annotations; masks tell class labels too."""
    shapes = shapes_of(annotation)
    if shapes is not None:
        return bool(shapes & _serving(task, fills=fills))
    if task is Task.SEGMENTATION:
        return annotation.kind is not AnnotationKind.TABLE or (fills and annotation.shape in _BOXED)
    is_labels = annotation.kind is AnnotationKind.TABLE and annotation.shape is TableShape.LABELS
    return not is_labels or task is Task.CLASSIFICATION


def shapes_of(annotation: AnnotationSource) -> set[str] | None:
    """What a file of the format that is asked for can hold; None where no format that is known is asked for."""
    if annotation.kind is not AnnotationKind.OBJECTS or annotation.format not in ANNOTATIONS.names():
        return None
    return set(ANNOTATIONS.get(annotation.format).SHAPES)


def _serving(task: Task, *, fills: bool) -> set[str]:
    """What a task can be learned from."""
    if task is Task.CLASSIFICATION:
        return {"mask", "contours", "boxes", "points", "labels"}
    if task is Task.DETECTION:
        return {"mask", "contours", "boxes", "points"}
    return {"mask", "contours", *(("boxes",) if fills else ())}


def _fills_boxes(draft: Draft) -> bool:
    return bool(draft.values.get("boxes_as_masks", False))


def _check_format(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    """Refuse a format that has nothing the task can be learned from, and one that is found in another way."""
    shapes, path = shapes_of(annotation), ("annotations", at, "format")
    task = draft.values.get("task")
    if shapes is None or task is None:
        return
    if annotation.format in _LABEL_MAPS:
        message = f"{annotation.format} files do not name what is in them"
        draft.wrong(path, message, "write kind: masks, with path, and image where grids are not enough")
    elif not shapes & _serving(task, fills=_fills_boxes(draft)):
        held = " and ".join(sorted(shapes))
        draft.wrong(
            path, f"{annotation.format} holds {held}, of which no {task.value} can be learned", _REMEDY[task]
        )


def _check_keys(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    """Refuse what would not be read: keys of another kind of origin."""
    for key, kinds in _KINDS_OF_KEYS.items():
        if annotation.kind not in kinds and getattr(annotation, key) != getattr(_PLAIN, key):
            told = " and ".join(sorted(k.value for k in kinds))
            draft.wrong(("annotations", at, key), f"is read of kind {told}, not of {annotation.kind.value}")


def _check_annotation(draft: Draft, at: int, annotation: AnnotationSource) -> None:
    _check_format(draft, at, annotation)
    _check_keys(draft, at, annotation)
    labels = list(draft.data.get("labels") or {})
    for value, label in annotation.values.items():
        if label not in labels:
            draft.unknown(("annotations", at, "values", value), "label", label, labels)
    if annotation.label and annotation.label not in labels:
        draft.unknown(("annotations", at, "label"), "label", annotation.label, labels)
    layouts = {source.layout for source in draft.values.get("sources", {}).values()}
    if annotation.kind is AnnotationKind.LAYOUT and layouts == {"files"}:
        draft.wrong(
            ("annotations", at, "kind"), "no source has a layout that names masks", "set sources[].layout"
        )
    if annotation.kind is AnnotationKind.TABLE and annotation.key not in _KEYS:
        draft.unknown(("annotations", at, "key"), "kind of key", annotation.key, _KEYS)
