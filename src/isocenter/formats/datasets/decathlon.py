"""Medical Segmentation Decathlon folders: dataset.json lists pairs of image and label."""

from __future__ import annotations

from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.formats.dataset import DatasetRow
from isocenter.formats.description import inside, modality_of, read_description, stem_of


def is_layout(root: Path) -> bool:
    """A dataset.json whose training entries are pairs of image and label."""
    try:
        training = read_description(root).get("training")
    except FormatError:
        return False
    return isinstance(training, list) and all(
        isinstance(t, dict) and {"image", "label"} <= set(t) for t in training
    )


def rows(root: Path) -> tuple[DatasetRow, ...]:
    """One row per image and mask; the file's stem is taken for the subject."""
    described = read_description(root)
    names = described.get("labels", {})
    labels = tuple(sorted((int(k), str(v)) for k, v in names.items() if str(k).isdigit() and int(k) > 0))
    modalities = described.get("modality", {})
    channel = str(modalities.get("0", "")) if isinstance(modalities, dict) and len(modalities) == 1 else ""
    out = []
    for pair in described.get("training", []):
        image, label = inside(pair["image"]), inside(pair["label"])
        case = stem_of(image)
        out.append(_image(image, case, channel, ""))
        out.append(DatasetRow(path=label, role="mask", case=case, subject=case, labels=labels))
    for item in described.get("test", []):
        path = inside(item["image"] if isinstance(item, dict) else item)
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
