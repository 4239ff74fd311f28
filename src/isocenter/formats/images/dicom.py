"""DICOM: slices, frames and tiles as stacks; other objects told apart by their SOP Class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header, read_identity, read_object
from isocenter.formats.dicom.frames import DOSE_KEYWORDS, WANTED, frames_of, shared_of
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.instance import KEYWORDS, instance_of, kind_of_object
from isocenter.formats.dicom.mosaic import is_mosaic, tiles_of
from isocenter.formats.dicom.reports import REPORT_KEYWORDS, report_row
from isocenter.formats.dicom.segmentation import SEGMENT_KEYWORDS, segmentation_row
from isocenter.formats.dicom.structures import REFERENCE_KEYWORDS, object_of
from isocenter.formats.dicom.survey import FunctionalGroups, refuse_late
from isocenter.formats.dicom.tracer import KEYWORDS as TRACER_KEYWORDS
from isocenter.formats.dicom.tracer import is_elsewhere, tracer_texts
from isocenter.formats.dicom.volume import read_volume
from isocenter.formats.dicom.watched import WatchedHeader
from isocenter.formats.image import Scan
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.rows import FrameRow, Instance, Stack
from isocenter.model.volume import Volume

# Group 2 or group 8 as the first element: a data set without preamble (PS3.10 7.1 lets nobody write one,
# but they are found).
_META = b"\x02\x00\x00\x00UL"
_MAX_EMPTY = 4
_KEYWORDS = [
    *(*KEYWORDS, *TRACER_KEYWORDS, *REFERENCE_KEYWORDS, *SEGMENT_KEYWORDS, *DOSE_KEYWORDS, *REPORT_KEYWORDS),
    "PerFrameFunctionalGroupsSequence",
]
# Fields of a frame that say something of its instance where all frames agree; the time of a frame is a date and time.
_AGREED = sorted(
    {f.name for f in fields(FrameRow)}
    & {f.name for f in fields(Instance)} - {"file_id", "unparsable", "acquisition_time"}
)


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


def scan(path: Path, file_id: str, source: int, site: str, limits: Limits = DEFAULT_LIMITS) -> Scan:
    """Read the header of one file (PS3.10), without its pixel data."""
    try:
        return _scan(path, file_id, source, site, limits)
    except FormatError as error:
        error.identity = _identity(path, limits)
        raise


def _scan(path: Path, file_id: str, source: int, site: str, limits: Limits) -> Scan:
    parsed = read_object(path, _KEYWORDS, WANTED, limits)
    with parsing("the header"):
        header = WatchedHeader(parsed.dataset, lambda: refuse_late(parsed.deadline, limits))
        kind = kind_of_object(header, has_pixels=parsed.pixels)
        if kind == "dicom-rtstruct":
            return Scan(kind=kind, annotation=object_of(header, file_id, source, site, parsed.regions))
        instance = instance_of(header, file_id, source, site, has_pixels=parsed.pixels)
        if parsed.survey.repeated:
            instance = replace(instance, repeated=parsed.survey.repeated)
        again = Header(parsed.dataset)
        frames = frames_of(again, parsed.groups, file_id)
        instance = _also_unparsable(instance, again.unparsable)
        if parsed.groups is not None:
            instance = _with_groups(instance, parsed.groups, frames, parsed.dataset)
        if not frames and is_mosaic(instance.image_type, instance.frames):
            frames = tiles_of(read_header(path, limits=limits)[0], file_id)
        if kind == "dicom-image" and instance.modality == "PT":
            whole = read_header(path, limits=limits)[0] if is_elsewhere(parsed.dataset) else parsed.dataset
            instance = replace(instance, pet=tracer_texts(whole))
        found = segmentation_row(again, frames, file_id, source, site) if kind == "dicom-seg" else None
        if kind == "dicom-report":
            found = report_row(again, file_id, source, site)
        return Scan(kind=kind, instance=instance, frames=frames, annotation=found)


def _also_unparsable(instance: Instance, names: Iterable[str]) -> Instance:
    found = tuple(sorted({*instance.unparsable, *names}))
    return instance if found == instance.unparsable else replace(instance, unparsable=found)


def _with_groups(
    instance: Instance, groups: FunctionalGroups, frames: tuple[FrameRow, ...], dataset: Any
) -> Instance:
    """An instance that also says what all of its frames say; unparsable is what is so in any of them."""
    unparsable = {name for frame in frames for name in frame.unparsable}
    if groups.frames > 1 and not frames:
        unparsable.add("NumberOfFrames")
    rows = frames if groups.frames else (shared_of(Header(dataset), groups, instance.file_id),)
    agreed = {}
    for name in _AGREED:
        values = {getattr(row, name) for row in rows}
        if getattr(instance, name) in (None, ()) and len(values) == 1:
            agreed[name] = values.pop()
    instance = _also_unparsable(instance, unparsable)
    return replace(instance, **agreed) if agreed else instance


def _identity(path: Path, limits: Limits) -> dict[str, str | None]:
    """Which object of which series a broken file is; empty where it no longer says so."""
    try:
        with parsing("the identity"):
            header = Header(read_identity(path, limits))
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


def read(stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None] = ()) -> Volume:
    """Read the voxels of one stack in the unit of its modality."""
    with parsing("the series"):
        return read_volume(stack, paths, expected)
