"""Segmentations (PS3.3 A.51, C.8.20): their segments, what they refer to, and which frame is which segment where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.lattice import Lattice, lattice_of
from isocenter.model.annotation import Part
from isocenter.model.rows import AnnotationObject, FrameRow

SEGMENT_KEYWORDS = [
    *("SegmentSequence", "SegmentationType", "ReferencedSeriesSequence", "PixelPaddingValue"),
    *("SegmentsOverlap", "SegmentationFractionalType", "MaximumFractionalValue"),
]
BINARY, FRACTIONAL, LABELMAP = "BINARY", "FRACTIONAL", "LABELMAP"
_SAMPLES = 64
_MAX_SEGMENTS = 65_535


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation:
    """What one object says in front of its pixels.

    Args:
        type: BINARY, FRACTIONAL or LABELMAP.
        parts: Its segments by number, without the background of a label map.
        background: Value of a label map's voxels that are no segment.
        maximum: Highest value of a fractional segmentation; 1 in others.
        fraction: PROBABILITY or OCCUPANCY; "" in others.
        is_exclusive: Whether the object says that its segments do not overlap.
        lattice: The grid that spans all frames, and the slice of each.
        frames: Segment of each frame; of a label map 0.
    """

    type: str
    parts: dict[int, Part]
    background: int
    maximum: int
    fraction: str
    is_exclusive: bool
    lattice: Lattice
    frames: tuple[int, ...]


def segmentation_of(header: Header, rows: Sequence[FrameRow]) -> Segmentation:
    """What the header and the functional groups say.

    Raises:
        FormatError: they contradict each other, or the frames lie on no one regular grid.
    """
    count = header.integer("NumberOfFrames", 1) or 1
    if count != len(rows):
        raise FormatError(
            "file/corrupt",
            "the functional groups are those of another number of frames",
            measured=len(rows),
            expected=count,
        )
    kind = header.text("SegmentationType")
    if kind not in {BINARY, FRACTIONAL, LABELMAP}:
        raise FormatError("file/unsupported", "a segmentation of no type that is known")
    background = (header.integer("PixelPaddingValue") or 0) if kind == LABELMAP else 0
    maximum = header.integer("MaximumFractionalValue", 1, 65_535) if kind == FRACTIONAL else 1
    if maximum is None:
        raise FormatError("file/corrupt", "a fractional segmentation does not say what its maximum is")
    parts = _parts(header, is_map=kind == LABELMAP, background=background)
    numbers = tuple(_number(row, parts, is_map=kind == LABELMAP) for row in rows)
    n_rows, n_columns = header.integer("Rows", 1, 65_535), header.integer("Columns", 1, 65_535)
    if n_rows is None or n_columns is None:
        raise FormatError("file/corrupt", "rows and columns make no sense")
    lattice = lattice_of(rows, n_rows, n_columns)
    if len(set(zip(numbers, lattice.places, strict=True))) < len(numbers):
        raise FormatError("file/corrupt", "two frames of one segment lie in one plane")
    return Segmentation(
        type=kind,
        parts=parts,
        background=background,
        maximum=maximum,
        fraction=(header.text("SegmentationFractionalType") or "") if kind == FRACTIONAL else "",
        is_exclusive=header.text("SegmentsOverlap") == "NO",
        lattice=lattice,
        frames=numbers,
    )


def segmentation_row(
    header: Header, rows: Sequence[FrameRow], file_id: str, source: int, site: str
) -> AnnotationObject:
    """The row of one segmentation: its segments, and the images it says it was made of.

    Raises:
        FormatError: as `segmentation_of`.
    """
    found = segmentation_of(header, rows)
    series = header.sequence("ReferencedSeriesSequence")
    images = [
        i.text("ReferencedSOPInstanceUID") for s in series for i in s.sequence("ReferencedInstanceSequence")
    ]
    parts = found.parts.values()
    return AnnotationObject(
        file_id=file_id,
        source=source,
        site=site,
        format="dicom-seg",
        patient_id=header.text("PatientID"),
        patient_id_issuer=header.text("IssuerOfPatientID"),
        patient_name=header.text("PatientName"),
        birth_date=header.text("PatientBirthDate"),
        sop_instance_uid=header.text("SOPInstanceUID"),
        study_uid=header.text("StudyInstanceUID"),
        frame_of_reference_uid=header.text("FrameOfReferenceUID"),
        referenced_series_uids=_distinct(s.text("SeriesInstanceUID") for s in series),
        referenced_instance_uids=_distinct(images),
        samples_mm=tuple(v for r in rows[:: max(1, len(rows) // _SAMPLES)][:_SAMPLES] for v in r.position_mm),
        labels=tuple(p.name for p in parts),
        numbers=tuple(p.key for p in parts),
        codes=tuple(p.code for p in parts),
        ids=tuple(p.id for p in parts),
        shapes=tuple(p.shape for p in parts),
    )


def _parts(header: Header, *, is_map: bool, background: int) -> dict[int, Part]:
    """The segments by number; of a label map the background is none."""
    items = header.sequence("SegmentSequence")
    if not items or len(items) > _MAX_SEGMENTS:
        raise FormatError("file/corrupt", "a segmentation has no segments, or too many", measured=len(items))
    out: dict[int, Part] = {}
    for item in items:
        number = item.integer("SegmentNumber", 0, _MAX_SEGMENTS)
        if number is None or (number == 0 and not is_map):
            raise FormatError("file/corrupt", "a segment has no number from 1 on", measured=number)
        if number in out:
            raise FormatError("file/corrupt", "two segments have one number", measured=number)
        out[number] = _part(item, number)
    if is_map:
        # a label map may describe its background as a segment (PS3.3 C.8.20.2)
        out.pop(background, None)
        out.pop(0, None)
    return dict(sorted(out.items()))


def _part(item: Header, number: int) -> Part:
    codes = item.sequence("SegmentedPropertyTypeCodeSequence")
    drawn = [item.text("SegmentAlgorithmType"), item.text("SegmentAlgorithmName")]
    return Part(
        key=number,
        name=item.text("SegmentLabel") or "",
        code=_code(codes),
        shape="mask",
        rater=" ".join(t for t in drawn if t),
        id=item.text("TrackingID") or "",
    )


def _code(items: Sequence[Header]) -> str:
    """The type of what was segmented, with its modifiers (PS3.3 C.8.20.4), each as SCHEME:VALUE."""
    if not items:
        return ""
    found = [items[0], *items[0].sequence("SegmentedPropertyTypeModifierCodeSequence")]
    texts = []
    for item in found:
        scheme = item.text("CodingSchemeDesignator")
        value = item.text("CodeValue") or item.text("LongCodeValue") or item.text("URNCodeValue")
        if scheme and value:
            texts.append(f"{scheme}:{value}")
    # a modifier of nothing is no code
    return "/".join(texts) if len(texts) == len(found) else ""


def _number(row: FrameRow, parts: dict[int, Part], *, is_map: bool) -> int:
    """The segment of a frame; a frame of a label map holds all of them."""
    if is_map:
        return 0
    if row.segment_number is None or "ReferencedSegmentNumber" in row.unparsable:
        raise FormatError("file/corrupt", "a frame does not say of which segment it is")
    if row.segment_number not in parts:
        raise FormatError(
            "file/corrupt", "a frame is of a segment that there is not", measured=row.segment_number
        )
    return row.segment_number


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for t in texts if t))
