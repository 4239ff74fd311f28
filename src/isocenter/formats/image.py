"""The promise of an image format: sniff, scan the header, read the voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from isocenter.base.plugins import Plugins
from isocenter.model.rows import AnnotationObject, Instance, Stack
from isocenter.model.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the header of one file says: its kind, and the instance or annotation object in it."""

    kind: str
    instance: Instance | None = None
    annotation: AnnotationObject | None = None


class ImageFormat(Protocol):
    """One image file format, as a plain module.

    Contract:
        * `sniff` looks at the first bytes only, never at the name, and never raises.
        * `scan` reads no voxels; what it cannot read raises `FormatError` with one of the reasons, and no
          text of the file in the message; its `identity` holds what names the object, where that can be read.
        * `read` gives every voxel of the stack in physical units on the stack's own grid (RAS+), or raises
          `FormatError`; a truncated file never yields a volume.
        * Neither `scan` nor `read` looks at any other file than those it is given.
    """

    def sniff(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes (up to 4096) is of this format."""

    def scan(self, path: Path, file_id: str, source: int, site: str) -> Scan:
        """Read the header of one file."""

    def read(self, stack: Stack, paths: Sequence[Path]) -> Volume:
        """Read the voxels of one stack; `paths[n]` is the file of its nth slice."""


FORMATS: Plugins[ImageFormat] = Plugins("isocenter.formats.images")

HEAD_BYTES = 4096


def format_of(head: bytes) -> str | None:
    """Name of the first format (by name) that knows these first bytes of a file."""
    return next((name for name, known in FORMATS if known.sniff(head)), None)
