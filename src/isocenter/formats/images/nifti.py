"""NIfTI-1 and NIfTI-2 in one file or in two (.hdr and .img), plain or compressed with gzip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.array_file import frames_of, row_of
from isocenter.formats.boundary import parsing
from isocenter.formats.image import Scan
from isocenter.formats.labelmap import volume_of
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.formats.nifti import is_nifti, read_image, scan_header
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


def sniff(head: bytes) -> bool:
    """The magic of NIfTI-1 or NIfTI-2, or an Analyze header, which is told and not read."""
    return is_nifti(head)


def scan(path: Path, file_id: str, source: int, site: str, limits: Limits = DEFAULT_LIMITS) -> Scan:  # noqa: ARG001 - the header has one size
    """Read the header, without voxels."""
    with parsing("the NIfTI header"):
        header = scan_header(path)
        return Scan(
            kind="nifti", instance=row_of(header, file_id, source, site), frames=frames_of(header, file_id)
        )


def read(stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None] = ()) -> Volume:
    """Read all voxels of the stack, which is one volume; a compressed file is read to its check sum."""
    with parsing("the NIfTI file"):
        return volume_of(
            stack, read_image(paths[0], expected[0] if expected else None, volume=stack.frames[0])
        )
