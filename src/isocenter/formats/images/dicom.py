"""DICOM: classic single-frame images as stacks; other objects told apart by their SOP Class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isocenter.formats.dicom.header import Header, read_header
from isocenter.formats.dicom.instance import KEYWORDS, instance_of, kind_of_object
from isocenter.formats.dicom.structures import REFERENCE_KEYWORDS, object_of
from isocenter.formats.dicom.volume import read_volume
from isocenter.formats.image import Scan
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume

# Group 2 or group 8 as the first element: a data set without preamble (PS3.10 7.1 lets nobody write one,
# but they are found).
_META = b"\x02\x00\x00\x00UL"
_GROUP_8 = b"\x08\x00"


def sniff(head: bytes) -> bool:
    """A preamble with DICM, or a data set that begins with group 0002 or 0008."""
    if head[128:132] == b"DICM" or head.startswith(_META):
        return True
    # an element (0008,00xx) whose stated length lies within reason, explicit or implicit
    return len(head) > 64 and head.startswith(_GROUP_8) and head[3:4] == b"\0" and _is_element(head)


def _is_element(head: bytes) -> bool:
    is_explicit = head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[6:8] if is_explicit else head[4:8], "little")
    return 0 < length <= 256


def scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    """Read the header of one file (PS3.10), without its pixel data."""
    header, has_pixels = read_header(path, KEYWORDS + REFERENCE_KEYWORDS)
    kind = kind_of_object(header, has_pixels=has_pixels)
    if kind == "dicom-rtstruct":
        return Scan(kind=kind, annotation=object_of(Header(header.dataset), file_id, source, site))
    return Scan(kind=kind, instance=instance_of(header, file_id, source, site, has_pixels=has_pixels))


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read the voxels of one stack in the unit of its modality."""
    return read_volume(stack, paths)
