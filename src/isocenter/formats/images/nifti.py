"""NIfTI-1 and NIfTI-2 in one file, plain or gzip-compressed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.formats.bytes import inflate_head, read_head
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.nifti import header_of, instance_of, is_nifti, read_array
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


def sniff(head: bytes) -> bool:
    """The magic of NIfTI-1 or NIfTI-2, or of a pair's header."""
    return is_nifti(inflate_head(head, 1024))


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header, without voxels."""
    header = header_of(read_head(path, 1 << 16))
    return Scan(kind="nifti", instance=instance_of(header, path, file_id, source, site))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read all voxels; a compressed file is read to its check sum."""
    return volume_of(stack, *read_array(paths[0]))
