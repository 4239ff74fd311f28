"""DICOM: classic single-frame images as stacks; other objects told apart by their SOP Class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header, read_identity
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
    try:
        return _scan(path, file_id, source, site)
    except FormatError as error:
        error.identity = _identity(path)
        raise


def _scan(path: Path, file_id: str, source: int, site: str) -> Scan:
    dataset, has_pixels = read_header(path, _KEYWORDS)
    with parsing("the header"):
        header = Header(dataset)
        kind = kind_of_object(header, has_pixels=has_pixels)
        if kind == "dicom-rtstruct":
            return Scan(kind=kind, annotation=object_of(header, file_id, source, site))
        return Scan(kind=kind, instance=instance_of(header, file_id, source, site, has_pixels=has_pixels))


def _identity(path: Path) -> dict[str, str | None]:
    """Which object of which series a broken file is; empty where it no longer says so."""
    try:
        with parsing("the identity"):
            header = Header(read_identity(path))
            series_uid = header.text("SeriesInstanceUID")
            if series_uid is None:
                return {}
            return {
                "series_uid": series_uid,
                "sop_instance_uid": header.text("SOPInstanceUID"),
                "study_uid": header.text("StudyInstanceUID"),
                "modality": header.text("Modality"),
            }
    except FormatError:
        return {}


def read(stack: Stack, paths: Sequence[Path]) -> Volume:
    """Read the voxels of one stack in the unit of its modality."""
    with parsing("the series"):
        return read_volume(stack, paths)
