"""From the functional groups of an enhanced object, or the planes of a dose grid, to a row for each frame."""

from __future__ import annotations

import math
import struct
from typing import Any, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.fields import to_ras
from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.survey import FunctionalGroups
from isocenter.model.rows import FrameRow

DOSE_KEYWORDS = ["GridFrameOffsetVector"]
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_TOLERANCE_MM = 1e-4
# Whole numbers up to here are exact in a decimal string.
_EXACT = 1 << 53

_Kind = Literal["number", "numbers", "ras", "integer", "integers", "text", "texts"]
# Field of the row, macro and attribute it is written in (PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3, C.8.20.3), its kind.
_FIELDS: list[tuple[str, str, str, _Kind, int]] = [
    ("position_mm", "PlanePositionSequence", "ImagePositionPatient", "ras", 3),
    ("orientation", "PlaneOrientationSequence", "ImageOrientationPatient", "ras", 6),
    ("pixel_spacing_mm", "PixelMeasuresSequence", "PixelSpacing", "numbers", 2),
    ("slice_thickness_mm", "PixelMeasuresSequence", "SliceThickness", "number", 1),
    ("spacing_between_slices_mm", "PixelMeasuresSequence", "SpacingBetweenSlices", "number", 1),
    ("rescale_slope", "PixelValueTransformationSequence", "RescaleSlope", "number", 1),
    ("rescale_intercept", "PixelValueTransformationSequence", "RescaleIntercept", "number", 1),
    ("rescale_type", "PixelValueTransformationSequence", "RescaleType", "text", 1),
    ("stack_id", "FrameContentSequence", "StackID", "text", 1),
    ("in_stack_position", "FrameContentSequence", "InStackPositionNumber", "integer", 1),
    ("temporal_position", "FrameContentSequence", "TemporalPositionIndex", "integer", 1),
    ("dimension_index", "FrameContentSequence", "DimensionIndexValues", "integers", 0),
    ("acquisition_time", "FrameContentSequence", "FrameAcquisitionDateTime", "text", 1),
    ("acquisition_number", "FrameContentSequence", "FrameAcquisitionNumber", "integer", 1),
    ("trigger_time_ms", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "number", 1),
    ("echo_time_ms", "MREchoSequence", "EffectiveEchoTime", "number", 1),
    ("repetition_time_ms", "MRTimingAndRelatedParametersSequence", "RepetitionTime", "number", 1),
    ("inversion_time_ms", "MRModifierSequence", "InversionTimes", "number", 1),
    ("b_value", "MRDiffusionSequence", "DiffusionBValue", "number", 1),
    ("gradient", "DiffusionGradientDirectionSequence", "DiffusionGradientOrientation", "ras", 3),
    ("convolution_kernel", "CTReconstructionSequence", "ConvolutionKernel", "text", 1),
    ("kvp", "CTXRayDetailsSequence", "KVP", "number", 1),
    ("segment_number", "SegmentIdentificationSequence", "ReferencedSegmentNumber", "integer", 1),
    ("image_type", "MRImageFrameTypeSequence", "FrameType", "texts", 0),
    ("image_type", "CTImageFrameTypeSequence", "FrameType", "texts", 0),
    ("image_type", "PETFrameTypeSequence", "FrameType", "texts", 0),
    ("image_type", "MRSpectroscopyFrameTypeSequence", "FrameType", "texts", 0),
    ("component", "MRImageFrameTypeSequence", "ComplexImageComponent", "text", 1),
    ("context", "MRArterialSpinLabelingSequence", "ASLContext", "text", 1),
]
# What goes into the image type of a frame, where it may be all that tells two frames of one place apart.
_TYPES = ("component", "context")
# What the writer of a converted object found no macro for (PS3.3 C.7.6.16.2.26); a macro goes before it.
_CONVERTED: list[tuple[str, str, _Kind]] = [
    ("kvp", "KVP", "number"),
    ("convolution_kernel", "ConvolutionKernel", "text"),
    ("echo_time_ms", "EchoTime", "number"),
    ("repetition_time_ms", "RepetitionTime", "number"),
    ("inversion_time_ms", "InversionTime", "number"),
    ("trigger_time_ms", "TriggerTime", "number"),
    ("b_value", "DiffusionBValue", "number"),
    ("acquisition_number", "AcquisitionNumber", "integer"),
    ("temporal_position", "TemporalPositionIdentifier", "integer"),
]
_FIELDS += [
    (field, sequence, keyword, kind, 1)
    for sequence in (
        "UnassignedSharedConvertedAttributesSequence",
        "UnassignedPerFrameConvertedAttributesSequence",
    )
    for field, keyword, kind in _CONVERTED
]
_NUMBERS = {"FD": "d", "FL": "f", "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q"}


def _key(sequence: str, keyword: str) -> int:
    tags = [pydicom.datadict.tag_for_keyword(name) for name in (sequence, keyword)]
    assert tags[0] is not None
    assert tags[1] is not None
    return int(tags[0]) << 32 | int(tags[1])


_BY_KEY = sorted((_key(f[1], f[2]), f) for f in _FIELDS)
# What the survey of a file is to look for.
WANTED: NDArray[np.int64] = np.array([key for key, _ in _BY_KEY], np.int64)


def frames_of(header: Header, groups: FunctionalGroups | None, file_id: str) -> tuple[FrameRow, ...]:
    """A row for each frame of an object whose frames differ; none for any other object.

    Without a Number of Frames nobody knows which frames several groups
    belong to, so there are no rows then.

    Raises:
        FormatError: there are groups for another number of frames than the object has.
    """
    stated = header.integer("NumberOfFrames")
    if groups is None:
        return _dose_frames(header, file_id) if header.text("SOPClassUID") == _DOSE else ()
    if stated is None and groups.frames > 1:
        return ()
    if stated is not None and groups.frames not in {0, stated}:
        raise FormatError(
            "file/corrupt",
            "the functional groups are those of another number of frames",
            measured=groups.frames,
            expected=stated,
        )
    shared, rows = _values(header, groups)
    return tuple(
        FrameRow(file_id=file_id, frame=n, unparsable=_named(shared, row), **_typed(shared[0] | row[0]))
        for n, row in enumerate(rows)
    )


def shared_of(header: Header, groups: FunctionalGroups, file_id: str) -> FrameRow:
    """What the shared functional groups say of every frame."""
    (values, unparsable), _ = _values(header, groups)
    return FrameRow(file_id=file_id, frame=0, unparsable=tuple(sorted(unparsable)), **_typed(values))


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Values of which the Complex Image Component and the ASL Context have become part of the image type."""
    kept = {name: value for name, value in values.items() if name not in _TYPES}
    stated = kept.get("image_type", ())
    more = [values[name] for name in _TYPES if name in values and values[name] not in stated]
    return kept | {"image_type": (*stated, *more)} if more else kept


_Values = tuple[dict[str, Any], set[str]]


def _named(shared: _Values, row: _Values) -> tuple[str, ...]:
    return tuple(sorted(shared[1] | row[1])) if shared[1] or row[1] else ()


def _values(header: Header, groups: FunctionalGroups) -> tuple[_Values, list[_Values]]:
    """Values by field, and names of what makes no sense: of the shared groups, and of each frame."""
    shared: _Values = ({}, set())
    rows: list[_Values] = [({}, set()) for _ in range(groups.frames)]
    parse = _Parser(header, is_big=groups.is_big)
    known: dict[tuple[int, int, bytes], Any] = {}
    for key, frame, offset, length, vr in groups.found.tolist():
        raw = groups.data[offset : offset + length]
        name = (key, vr, raw)
        if name not in known:
            known[name] = parse(key, vr, raw)
        value = known[name]
        if value is None:
            continue
        field, sequence, keyword, _, _ = _BY_KEY[key][1]
        fields, unparsable = shared if frame < 0 else rows[frame]
        if value is _NONSENSE:
            unparsable.add(keyword)
        elif field not in fields or not sequence.startswith("Unassigned"):
            fields[field] = value
    return shared, rows


_NONSENSE = object()


class _Parser:
    """Turns stored bytes into the value of a field; None where there is none."""

    def __init__(self, header: Header, *, is_big: bool) -> None:
        self._header, self._order = header, ">" if is_big else "<"

    def __call__(self, key: int, vr: int, raw: bytes) -> Any:
        _, _, keyword, kind, count = _BY_KEY[key][1]
        stated = bytes((vr >> 8, vr & 255)).decode("ascii") if vr else "UN"
        name = pydicom.datadict.dictionary_VR(keyword) if stated == "UN" else stated
        if not raw.strip(b" \0") and name not in _NUMBERS:
            return None
        try:
            return self._convert(kind, count, name, raw)
        except (ValueError, OverflowError, struct.error):
            return _NONSENSE

    def _convert(self, kind: _Kind, count: int, vr: str, raw: bytes) -> Any:
        if kind in {"text", "texts"}:
            parts = tuple(part.strip(" \0") for part in self._text(raw).split("\\"))
            return ("\\".join(parts) or None) if kind == "text" else parts
        numbers = self._numbers(vr, raw)
        if not numbers:
            return None
        if (count and len(numbers) != count) or not all(map(math.isfinite, numbers)):
            raise ValueError("another number of numbers")
        if kind in {"integer", "integers"}:
            if any(v != int(v) or abs(v) > _EXACT for v in numbers):
                raise ValueError("no whole numbers")
            return int(numbers[0]) if kind == "integer" else tuple(int(v) for v in numbers)
        if kind == "ras":
            return to_ras(numbers) if any(numbers) or count != 3 or vr != "FD" else None
        return numbers[0] if kind == "number" else numbers

    def _numbers(self, vr: str, raw: bytes) -> tuple[float, ...]:
        if vr in _NUMBERS:
            code = _NUMBERS[vr]
            size = struct.calcsize(self._order + code)
            if len(raw) % size:
                raise ValueError("cut numbers")
            return tuple(map(float, struct.unpack(f"{self._order}{len(raw) // size}{code}", raw)))
        text = raw.decode("ascii").strip(" \0")
        # Python takes 1_000 for a number; DICOM does not (PS3.5 6.2)
        if "_" in text:
            raise ValueError("no decimal string")
        return tuple(map(float, text.split("\\")))

    def _text(self, raw: bytes) -> str:
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii")
        stated = self._header.dataset.get("SpecificCharacterSet")
        encodings = pydicom.charset.convert_encodings(stated)
        return str(pydicom.charset.decode_bytes(raw, encodings, set()))


def _dose_frames(header: Header, file_id: str) -> tuple[FrameRow, ...]:
    """Planes of a dose grid (PS3.3 C.8.8.3.2), by their offsets from the first one or by their patient z."""
    stated = header.integer("NumberOfFrames") or 1
    orientation = header.numbers("ImageOrientationPatient", 6)
    origin = header.numbers("ImagePositionPatient", 3)
    offsets = header.numbers("GridFrameOffsetVector", stated)
    if not (orientation and origin and offsets):
        return ()
    is_absolute = orientation == _AXIAL and offsets[0] != 0 and abs(offsets[0] - origin[2]) < _TOLERANCE_MM
    if offsets[0] != 0 and not is_absolute:
        header.unparsable.append("GridFrameOffsetVector")
        return ()
    normal = np.cross(orientation[:3], orientation[3:])
    places = np.array(origin) + np.subtract(offsets, offsets[0])[:, None] * normal
    return tuple(
        FrameRow(
            file_id=file_id,
            frame=n,
            orientation=to_ras(orientation),
            position_mm=to_ras(tuple(place)),
            pixel_spacing_mm=header.numbers("PixelSpacing", 2),
        )
        for n, place in enumerate(places.tolist())
    )
