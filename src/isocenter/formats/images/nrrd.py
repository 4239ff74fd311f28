"""NRRD images, with their voxels attached or in a file beside the header (.nhdr)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.array_file import row_of
from isocenter.formats.boundary import parsing
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.formats.nrrd_file import read_image, scan_header
from isocenter.formats.seg_nrrd import object_of
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


def sniff(head: bytes) -> bool:
    """The magic NRRD000x."""
    return head.startswith(b"NRRD000")


def scan(path: Path, file_id: str, source: int, site: str, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """Read the header, without voxels."""
    with parsing("the NRRD header"):
        header, told = scan_header(path, limits)
        return Scan(
            kind="nrrd",
            instance=row_of(header, file_id, source, site),
            annotation=object_of(told, file_id, source, site),
        )


def read(stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None] = ()) -> Volume:
    """Read all voxels."""
    with parsing("the NRRD file"):
        return volume_of(stack, read_image(paths[0], expected[0] if expected else None))
