"""Medical Segmentation Decathlon folders: dataset.json lists pairs of image and label."""

from __future__ import annotations

from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.formats.dataset import DatasetRow
from isocenter.formats.description import (
    entries,
    inside,
    modality_of,
    number_of,
    part,
    read_description,
    stem_of,
)


def is_layout(root: Path) -> bool:
    """A dataset.json whose training entries are pairs of image and label."""
    try:
        training = read_description(root).get("training")
    except FormatError:
        return False
    return isinstance(training, list) and bool(training) and all(map(_is_pair, training))


def _is_pair(entry: object) -> bool:
    return isinstance(entry, dict) and {"image", "label"} <= set(entry)


def rows(root: Path) -> tuple[DatasetRow, ...]:
    """One row per image and mask; the file's stem is taken for the subject."""
    described = read_description(root)
    values = [(number_of(k), str(v)) for k, v in part(described, "labels").items()]
    labels = tuple(sorted((k, v) for k, v in values if k))
    modalities = part(described, "modality")
    channel = str(modalities.get("0", "")) if len(modalities) == 1 else ""
    out = []
    for pair in entries(described, "training"):
        if not _is_pair(pair):
            raise FormatError("file/corrupt", "dataset.json has a training entry without image or label")
        image, label = inside(pair["image"]), inside(pair["label"])
        case = stem_of(image)
        out.append(_image(image, case, channel, ""))
        out.append(DatasetRow(path=label, role="mask", case=case, subject=case, labels=labels))
    for item in entries(described, "test"):
        path = inside(item.get("image") if isinstance(item, dict) else item)
        out.append(_image(path, stem_of(path), channel, "test"))
    return tuple(sorted(out, key=lambda r: r.path))


def _image(path: str, case: str, channel: str, partition: str) -> DatasetRow:
    return DatasetRow(
        path=path,
        role="image",
        case=case,
        subject=case,
        channel=channel,
        modality=modality_of(channel),
        partition=partition,
    )
