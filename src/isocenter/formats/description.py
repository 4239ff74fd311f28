"""`dataset.json`, the description that nnU-Net and the Decathlon share in parts."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from isocenter.base.errors import FormatError

_MAX_BYTES = 64 << 20
# Channel names as they are written in public data sets -> DICOM modality.
_MODALITIES = {"ct": "CT", "mr": "MR", "mri": "MR", "pet": "PT", "pt": "PT"}
_MR_NAMES = ("t1", "t2", "flair", "adc", "dwi", "t1c", "t1ce", "t1gd", "t1w", "t2w", "hbv")


def read_description(root: Path) -> dict[str, Any]:
    """The object in `dataset.json`."""
    path = root / "dataset.json"
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError("file/too-large", "dataset.json is too large")
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise FormatError("file/corrupt", "dataset.json cannot be read") from None
    if not isinstance(found, dict):
        raise FormatError("file/corrupt", "dataset.json is no object")
    return found


def modality_of(channel: str) -> str:
    """DICOM modality of a channel name, "" where it cannot be told."""
    name = channel.strip().lower()
    if name in _MODALITIES:
        return _MODALITIES[name]
    return "MR" if name.replace("-", "").replace("_", "") in _MR_NAMES else ""


def inside(path: object) -> str:
    """A path of the description, relative to its folder; one that leaves it is refused."""
    pure = PurePosixPath(str(path))
    if pure.is_absolute() or ".." in pure.parts:
        raise FormatError("file/corrupt", "dataset.json names a path outside its folder")
    return pure.as_posix()


def stem_of(path: str) -> str:
    """File name without the endings .nii, .nii.gz, .nrrd."""
    name = PurePosixPath(path).name
    for ending in (".nii.gz", ".nii", ".nrrd", ".mha"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return PurePosixPath(name).stem
