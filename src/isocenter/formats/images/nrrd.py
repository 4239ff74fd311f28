"""NRRD images with their voxels attached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.base.files import open_regular
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.nrrd_file import instance_of, read_array, read_header
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume

_HEAD = 1 << 18


def sniff(head: bytes) -> bool:
    """The magic NRRD000x."""
    return head.startswith(b"NRRD000")


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header, without voxels."""
    with open_regular(path) as file:
        header, _ = read_header(file.read(_HEAD))
    return Scan(kind="nrrd", instance=instance_of(header, file_id, source, site))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read all voxels."""
    stored, _ = read_array(paths[0])
    return volume_of(stack, stored, 1.0, 0.0)
