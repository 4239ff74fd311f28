"""nnU-Net raw data sets (version 2): imagesTr, labelsTr, imagesTs and dataset.json."""

from __future__ import annotations

import re
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import parsing
from isocenter.formats.dataset import DatasetRow
from isocenter.formats.description import modality_of, number_of, part, read_description, stem_of

_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}")
_FOLDERS = {
    "imagesTr": ("image", ""),
    "labelsTr": ("mask", ""),
    "imagesTs": ("image", "test"),
    "labelsTs": ("mask", "test"),
}


def is_layout(root: Path) -> bool:
    """A dataset.json with channel names beside an imagesTr folder."""
    try:
        return "channel_names" in read_description(root) and (root / "imagesTr").is_dir()
    except (FormatError, OSError):
        return False


def rows(root: Path) -> tuple[DatasetRow, ...]:
    """Images `{case}_{channel}.ending` and masks `{case}.ending`; the case is taken for the subject."""
    described = read_description(root)
    channels = {number_of(k): str(v) for k, v in part(described, "channel_names").items()}
    values = [(number_of(v), str(k)) for k, v in part(described, "labels").items()]
    labels = tuple(sorted((v, k) for v, k in values if v))
    ending = described.get("file_ending", ".nii.gz")
    if not isinstance(ending, str) or not _ENDING.fullmatch(ending):
        raise FormatError("file/corrupt", "dataset.json has a file ending that is none")
    out = []
    for folder, (role, partition) in _FOLDERS.items():
        for name in _names(root / folder, ending):
            stem = stem_of(name)
            case, _, number = stem.rpartition("_") if role == "image" else (stem, "", "")
            channel = channels.get(number_of(number), "") if number else ""
            out.append(
                DatasetRow(
                    path=f"{folder}/{name}",
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


def _names(folder: Path, ending: str) -> list[str]:
    """Names of the files of a folder that have the ending; a link is no folder of the data set."""
    with parsing("a folder of the data set"):
        if folder.is_symlink() or not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.name.endswith(ending))
