"""Checks that the parts of a config fit together: labels, channels, and annotations that suit the task."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from isocenter.model.task import Label, Task
from isocenter.pipeline.config_draft import Draft
from isocenter.stages.enrol.options import AnnotationKind, AnnotationSource, TableShape

_MODALITY = re.compile(r"[A-Z][A-Z0-9_ ]{0,15}")  # a code string, DICOM PS3.5 section 6.2
_OFTEN_MEANT = {"PET": "PT", "MRI": "MR", "XR": "DX", "XRAY": "DX", "X-RAY": "DX", "MAMMO": "MG"}
_KEYS = ("subject", "series", "study", "instance", "path")

_NEEDS = {
    Task.SEGMENTATION: "segmentation needs masks or contours: an entry of kind objects, masks or layout",
    Task.DETECTION: "detection needs boxes: an entry of kind table with the shape boxes or centres",
    Task.CLASSIFICATION: "classification needs labels: an entry of kind table",
}


def check_meaning(draft: Draft) -> None:
    """Note what is valid by itself but does not fit the rest; labels without values are numbered."""
    _check_sources(draft)
    _check_labels(draft)
    _check_channels(draft)
    _check_task(draft)
    for at, annotation in draft.values.get("annotations", {}).items():
        _check_annotation(draft, at, annotation)


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
    if not any(_is_enough(task, a) for a in valid.values()):
        draft.wrong(("annotations",), _NEEDS[task])


def _is_enough(task: Task, annotation: AnnotationSource) -> bool:
    """Whether a task can be learned from one origin of annotations; masks tell class labels too."""
    if task is Task.SEGMENTATION:
        return annotation.kind is not AnnotationKind.TABLE
    is_boxes = annotation.kind is AnnotationKind.TABLE and annotation.shape is not TableShape.LABELS
    return is_boxes or task is Task.CLASSIFICATION


def _check_annotation(draft: Draft, at: int, annotation: AnnotationSource) -> None:
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
