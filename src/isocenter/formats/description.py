"""`dataset.json`, the description that nnU-Net and the Decathlon share in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing

_MAX_BYTES = 64 << 20
_NUMBER = re.compile(r"[0-9]{1,9}")
# Channel names as they are written in public data sets -> DICOM modality.
_MODALITIES = {"ct": "CT", "mr": "MR", "mri": "MR", "pet": "PT", "pt": "PT"}
_MR_NAMES = ("t1", "t2", "flair", "adc", "dwi", "t1c", "t1ce", "t1gd", "t1w", "t2w", "hbv")


def read_description(root: Path) -> dict[str, Any]:
    """The object in `dataset.json`."""
    with parsing("dataset.json"), opening(root / "dataset.json") as file:
        data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise FormatError("file/too-large", "dataset.json is too large")
        found = json.loads(data.decode("utf-8-sig"))
    if not isinstance(found, dict):
        raise FormatError("file/corrupt", "dataset.json is no object")
    return found


def part(described: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object in the description; {} where there is none."""
    found = described.get(key, {})
    return found if isinstance(found, dict) else {}


def entries(described: Mapping[str, Any], key: str) -> list[Any]:
    """A list in the description; [] where there is none."""
    found = described.get(key, [])
    return found if isinstance(found, list) else []


def number_of(value: object) -> int | None:
    """A whole number as it is written in the description, as a number or as text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def modality_of(channel: str) -> str:
    """DICOM modality of a channel name, "" where it cannot be told."""
    name = channel.strip().lower()
    if name in _MODALITIES:
        return _MODALITIES[name]
    return "MR" if name.replace("-", "").replace("_", "") in _MR_NAMES else ""


def inside(path: object) -> str:
    """A path of the description, relative to its folder; one that leaves it is refused."""
    pure = PurePosixPath(path if isinstance(path, str) else "")
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in str(pure):
        raise FormatError("file/corrupt", "dataset.json names a file that is none, or is outside its folder")
    return pure.as_posix()


def stem_of(path: str) -> str:
    """File name without the endings .nii, .nii.gz, .nrrd."""
    name = PurePosixPath(path).name
    for ending in (".nii.gz", ".nii", ".nrrd", ".mha"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return PurePosixPath(name).stem
