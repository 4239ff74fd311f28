"""DICOM: classic single-frame images as stacks; other objects told apart by their SOP Class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.instance import KEYWORDS, instance_of, kind_of_object
from isocenter.formats.dicom.structures import REFERENCE_KEYWORDS, object_of
from isocenter.formats.dicom.volume import read_volume
from isocenter.formats.image import Scan
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume

# Group 2 or group 8 as the first element: a data set without preamble (PS3.10 7.1 lets nobody write one,
# but they are found).
_META = b"\x02\x00\x00\x00UL"
_MAX_EMPTY = 4
_KEYWORDS = KEYWORDS + REFERENCE_KEYWORDS


def sniff(head: bytes) -> bool:
    """A preamble with DICM, or a data set that begins with group 0002 or 0008."""
    if head[128:132] == b"DICM" or head.startswith(_META):
        return True
    return len(head) > 64 and (_is_element(head, "little") or _is_element(head, "big"))


def _is_element(head: bytes, order: Literal["little", "big"], depth: int = 0) -> bool:
    """An element (0008,00xx) whose stated length is within reason; an empty one must be followed by another."""
    group, number = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)
    is_explicit = head[4:6].isalpha() and head[4:6].isupper()
    if group != 8 or number > 0xFF or (order == "big" and not is_explicit):
        return False
    length = int.from_bytes(head[6:8] if is_explicit else head[4:8], order)
    if length == 0:
        return depth < _MAX_EMPTY and _is_element(head[8:], order, depth + 1)
    return length <= 256


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header of one file (PS3.10), without its pixel data."""
    dataset, has_pixels = read_header(path, _KEYWORDS)
    with parsing("the header"):
        header = Header(dataset)
        kind = kind_of_object(header, has_pixels=has_pixels)
        if kind == "dicom-rtstruct":
            return Scan(kind=kind, annotation=object_of(header, file_id, source, site))
        return Scan(kind=kind, instance=instance_of(header, file_id, source, site, has_pixels=has_pixels))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read the voxels of one stack in the unit of its modality."""
    with parsing("the series"):
        return read_volume(stack, paths)
