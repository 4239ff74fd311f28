"""NIfTI-1 and NIfTI-2 in one file, plain or gzip-compressed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.formats.boundary import parsing
from isocenter.formats.bytes import inflate_head
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.nifti import HEAD_BYTES, instance_of, is_nifti, read_array, read_header
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


def sniff(head: bytes) -> bool:
    """The magic of NIfTI-1 or NIfTI-2, or of a pair's header."""
    return is_nifti(inflate_head(head, HEAD_BYTES))


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header, without voxels."""
    with parsing("the NIfTI header"):
        return Scan(kind="nifti", instance=instance_of(read_header(path), path, file_id, source, site))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read all voxels; a compressed file is read to its check sum."""
    with parsing("the NIfTI file"):
        stored, slope, intercept, _ = read_array(paths[0])
        return volume_of(stack, stored, slope, intercept)
