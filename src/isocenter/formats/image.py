"""The promise of an image format: sniff, scan the header, read the voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from isocenter.base.files import Signature
from isocenter.base.plugins import Plugins
from isocenter.formats.bytes import inflate_head
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.rows import AnnotationObject, FrameRow, Instance, Stack
from isocenter.model.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the header of one file says: its kind, and the instance or annotation object in it.

    `frames` has a row for each frame of an object whose frames differ.
    """

    kind: str
    instance: Instance | None = None
    frames: tuple[FrameRow, ...] = ()
    annotation: AnnotationObject | None = None


class ImageFormat(Protocol):
    """One image file format, as a plain module.

    Contract:
        * `sniff` looks at the first bytes only, never at the name, and never raises; of a gzip file it is
          given those of the content.
        * `scan` reads no voxels; what it cannot read raises `FormatError` with one of the reasons, and no
          text of the file in the message; its `identity` holds what names the object, where that can be read.
        * `read` gives every voxel of the stack in physical units on the stack's own grid (RAS+), or raises
          `FormatError`; a truncated file never yields a volume.
        * A file that is not the expected one is `file/changed`: what is open is compared with what was indexed,
          whenever `read` opens a file, that of the voxels of a header without as well.
        * Neither `scan` nor `read` looks at any other file than those it is given, but for the voxels of a
          header without: they are in a regular file in the header's own folder, or it is refused.
    """

    def sniff(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes (up to 4096) is of this format."""

    def scan(self, path: Path, file_id: str, source: int, site: str, limits: Limits = DEFAULT_LIMITS) -> Scan:
        """Read the header of one file; what is beyond a limit is refused."""

    def read(self, stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None] = ()) -> Volume:
        """Read the voxels of one stack.

        Args:
            stack: The stack.
            paths: `paths[n]` is the file of its nth slice.
            expected: `expected[n]` is what that file was when it was indexed, None where nobody knows; () means
                that nobody knows of any.
        """


FORMATS: Plugins[ImageFormat] = Plugins("isocenter.formats.images")

HEAD_BYTES = 4096


def format_of(head: bytes) -> str | None:
    """Name of the first format (by name) that knows these first bytes of a file, plain or compressed with gzip."""
    content = inflate_head(head, HEAD_BYTES)
    return next((name for name, known in _known() if known.sniff(content)), None)


@cache
def _known() -> tuple[tuple[str, ImageFormat], ...]:
    # to look for installed plug-ins takes longer than to look at a file
    return tuple(FORMATS)
