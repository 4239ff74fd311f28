"""Which DICOM attributes make the columns of `Instance`, and how: one table for both header readers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.layout import MAX_SIDE

Form = Literal["uid", "text", "texts", "code", "equals", "number", "integer", "numbers", "present"]

_UID = re.compile(r"[0-9.]{1,64}")

# Whole numbers that a decimal string gives exactly; what is beyond is no number of anything here.
_EXACT = 1 << 53


@dataclass(frozen=True, slots=True)
class Field:
    """One column of `Instance` and the attributes it comes from.

    Args:
        name: Name of the field of `Instance`.
        form: How the value is read.
        keywords: Attributes in order of preference; the first that has a value is taken.
        low: Least whole number that makes sense.
        high: Greatest one.
        default: What stands for an absent or a zero number.
        count: How many numbers there must be.
        is_lps: Whether the numbers are LPS triples, which are turned to RAS.
        value: The text that makes an "equals" true.
    """

    name: str
    form: Form
    keywords: tuple[str, ...]
    low: int = -_EXACT
    high: int = _EXACT
    default: int | None = None
    count: int = 1
    is_lps: bool = False
    value: str = ""


def _field(name: str, form: Form, *keywords: str, **others: Any) -> Field:
    return Field(name, form, keywords, **others)


def longest(field: Field) -> int:
    """The most bytes that its numbers may have as text: 16 each (PS3.5 6.2, DS), backslashes, and one to be even."""
    return 17 * field.count


FIELDS = (
    _field("sop_class_uid", "uid", "SOPClassUID"),
    _field("sop_instance_uid", "uid", "SOPInstanceUID"),
    _field("series_uid", "uid", "SeriesInstanceUID"),
    _field("study_uid", "uid", "StudyInstanceUID"),
    _field("frame_of_reference_uid", "uid", "FrameOfReferenceUID"),
    _field("patient_id", "text", "PatientID"),
    _field("patient_id_issuer", "text", "IssuerOfPatientID"),
    _field("patient_name", "text", "PatientName"),
    _field("birth_date", "text", "PatientBirthDate"),
    _field("identity_removed", "equals", "PatientIdentityRemoved", value="YES"),
    _field("burned_in_annotation", "text", "BurnedInAnnotation"),
    _field("accession_number", "text", "AccessionNumber"),
    _field("study_date", "text", "StudyDate", "SeriesDate", "AcquisitionDate"),
    _field("acquisition_time", "text", "AcquisitionTime"),
    _field("content_time", "text", "ContentTime"),
    _field("series_number", "integer", "SeriesNumber"),
    _field("modality", "text", "Modality"),
    _field("image_type", "texts", "ImageType"),
    _field("manufacturer", "text", "Manufacturer"),
    _field("model", "text", "ManufacturerModelName"),
    _field("device_serial", "text", "DeviceSerialNumber"),
    _field("software", "text", "SoftwareVersions"),
    _field("institution", "text", "InstitutionName"),
    _field("body_part", "text", "BodyPartExamined"),
    _field("study_description", "text", "StudyDescription"),
    _field("series_description", "text", "SeriesDescription"),
    _field("protocol_name", "text", "ProtocolName"),
    _field("convolution_kernel", "text", "ConvolutionKernel"),
    _field("kvp", "number", "KVP"),
    _field("echo_time_ms", "number", "EchoTime"),
    _field("repetition_time_ms", "number", "RepetitionTime"),
    _field("inversion_time_ms", "number", "InversionTime"),
    _field("b_value", "number", "DiffusionBValue"),
    _field("gradient", "numbers", "DiffusionGradientOrientation", count=3, is_lps=True),
    _field("trigger_time_ms", "number", "TriggerTime"),
    _field("contrast_agent", "text", "ContrastBolusAgent"),
    _field("field_strength_t", "number", "MagneticFieldStrength"),
    _field("acquisition_number", "integer", "AcquisitionNumber"),
    _field("temporal_position", "integer", "TemporalPositionIdentifier"),
    _field("temporal_positions", "integer", "NumberOfTemporalPositions"),
    _field("images_in_acquisition", "integer", "ImagesInAcquisition"),
    _field("instance_number", "integer", "InstanceNumber"),
    _field("age", "text", "PatientAge"),
    _field("sex", "text", "PatientSex"),
    _field("weight_kg", "number", "PatientWeight"),
    _field("rows", "integer", "Rows", low=1, high=MAX_SIDE),
    _field("columns", "integer", "Columns", low=1, high=MAX_SIDE),
    _field("frames", "integer", "NumberOfFrames", low=0, default=1),
    _field("samples", "integer", "SamplesPerPixel", low=1, default=1),
    _field("photometric", "text", "PhotometricInterpretation"),
    _field("bits_allocated", "integer", "BitsAllocated", low=1),
    _field("bits_stored", "integer", "BitsStored", low=1),
    _field("high_bit", "integer", "HighBit", low=0),
    _field("pixel_representation", "integer", "PixelRepresentation", low=0, high=1),
    _field("pixel_spacing_mm", "numbers", "PixelSpacing", count=2),
    _field("imager_spacing_mm", "numbers", "ImagerPixelSpacing", count=2),
    _field("spacing_calibration", "text", "PixelSpacingCalibrationType"),
    _field("magnification", "number", "EstimatedRadiographicMagnificationFactor"),
    _field("source_to_detector_mm", "number", "DistanceSourceToDetector"),
    _field("source_to_patient_mm", "number", "DistanceSourceToPatient"),
    _field("orientation", "numbers", "ImageOrientationPatient", count=6, is_lps=True),
    _field("position_mm", "numbers", "ImagePositionPatient", count=3, is_lps=True),
    _field("slice_thickness_mm", "number", "SliceThickness"),
    _field("spacing_between_slices_mm", "number", "SpacingBetweenSlices"),
    _field("gantry_tilt_deg", "number", "GantryDetectorTilt"),
    _field("rescale_slope", "number", "RescaleSlope"),
    _field("rescale_intercept", "number", "RescaleIntercept"),
    _field("rescale_type", "text", "RescaleType"),
    _field("has_modality_lut", "present", "ModalityLUTSequence"),
    _field("pixel_padding", "integer", "PixelPaddingValue"),
    _field("pixel_padding_limit", "integer", "PixelPaddingRangeLimit"),
    _field("is_lossy", "equals", "LossyImageCompression", value="01"),
    _field("lossy_ratio", "text", "LossyImageCompressionRatio"),
    _field("lossy_method", "text", "LossyImageCompressionMethod"),
    _field("presentation_intent", "text", "PresentationIntentType"),
    _field("view_position", "text", "ViewPosition"),
    _field("view_code", "code", "ViewCodeSequence"),
    _field("image_laterality", "text", "ImageLaterality"),
    _field("laterality", "text", "Laterality"),
    _field("patient_orientation", "texts", "PatientOrientation"),
    _field("voi_centre", "texts", "WindowCenter"),
    _field("voi_width", "texts", "WindowWidth"),
    _field("voi_function", "text", "VOILUTFunction"),
    _field("has_voi_lut", "present", "VOILUTSequence"),
    _field("pet_units", "text", "Units"),
)


def value_of(header: Header, field: Field) -> Any:
    """The value of a field; positions and directions come out in RAS."""
    out = read_value(header, field, field.keywords[0])
    for keyword in field.keywords[1:]:
        out = out or read_value(header, field, keyword)
    if field.default is not None:
        out = out or field.default
    return to_ras(out) if field.is_lps else out


def read_value(header: Header, field: Field, keyword: str) -> Any:
    """What one attribute says for a field, as it stands in the header."""
    match field.form:
        case "uid":
            return read_uid(header, keyword)
        case "text":
            return header.text(keyword)
        case "texts":
            return header.texts(keyword)
        case "code":
            return next((code for item in header.sequence(keyword) if (code := item.text("CodeValue"))), None)
        case "equals":
            return header.text(keyword) == field.value
        case "number":
            return header.number(keyword)
        case "integer":
            return header.integer(keyword, field.low, field.high)
        case "numbers":
            return header.numbers(keyword, field.count)
        case "present":
            return keyword in header.dataset


def read_uid(header: Header, keyword: str) -> str | None:
    """A UID of legal characters and length (PS3.5 9.1); anything else is named as unparsable."""
    text = header.text(keyword)
    if text is None or _UID.fullmatch(text):
        return text
    header.unparsable.append(keyword)
    return None


def to_ras(lps: tuple[float, ...]) -> tuple[float, ...]:
    """Turn LPS triples into RAS triples: x and y change sign."""
    return tuple(0.0 - v if n % 3 < 2 else v for n, v in enumerate(lps))
