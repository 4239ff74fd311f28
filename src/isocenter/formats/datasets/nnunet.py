"""nnU-Net raw data sets (version 2): imagesTr, labelsTr, imagesTs and dataset.json."""

from __future__ import annotations

from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.formats.dataset import DatasetRow
from isocenter.formats.description import modality_of, read_description, stem_of

_FOLDERS = {
    "imagesTr": ("image", ""),
    "labelsTr": ("mask", ""),
    "imagesTs": ("image", "test"),
    "labelsTs": ("mask", "test"),
}


def is_layout(root: Path) -> bool:
    """A dataset.json with channel names beside an imagesTr folder."""
    try:
        return (root / "imagesTr").is_dir() and "channel_names" in read_description(root)
    except FormatError:
        return False


def rows(root: Path) -> tuple[DatasetRow, ...]:
    """Images `{case}_{channel}.ending` and masks `{case}.ending`; the case is taken for the subject."""
    described = read_description(root)
    channels = {int(k): str(v) for k, v in described.get("channel_names", {}).items() if str(k).isdigit()}
    labels = tuple(
        sorted((v, str(k)) for k, v in described.get("labels", {}).items() if isinstance(v, int) and v > 0)
    )
    ending = str(described.get("file_ending", ".nii.gz"))
    out = []
    for folder, (role, partition) in _FOLDERS.items():
        for path in sorted((root / folder).glob(f"*{ending}")) if (root / folder).is_dir() else ():
            stem = stem_of(path.name)
            case, _, number = stem.rpartition("_") if role == "image" else (stem, "", "")
            channel = channels.get(int(number), "") if number.isdigit() else ""
            out.append(
                DatasetRow(
                    path=f"{folder}/{path.name}",
                    role=role,
                    case=case,
                    subject=case,
                    channel=channel,
                    modality=modality_of(channel) if role == "image" else "",
                    partition=partition,
                    labels=labels if role == "mask" else (),
                )
            )
    return tuple(sorted(out, key=lambda r: r.path))
