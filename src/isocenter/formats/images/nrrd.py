"""NRRD images with their voxels attached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.formats.boundary import parsing
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.nrrd_file import instance_of, read_array
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


def sniff(head: bytes) -> bool:
    """The magic NRRD000x."""
    return head.startswith(b"NRRD000")


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header, without voxels."""
    with parsing("the NRRD header"):
        return Scan(kind="nrrd", instance=instance_of(path, file_id, source, site))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read all voxels."""
    with parsing("the NRRD file"):
        stored, _ = read_array(paths[0])
        return volume_of(stack, stored, 1.0, 0.0)
