"""From the header of one DICOM file to its row in the index."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pydicom.uid import UID

from isocenter.formats.dicom.header import Header
from isocenter.formats.dicom.layout import MAX_SIDE
from isocenter.model.rows import Instance

_UID = re.compile(r"[0-9.]{1,64}")

# Non-image objects by SOP Class (PS3.4 B.5); what is not here and has rows and columns is an image.
_KINDS = {
    "1.2.840.10008.1.3.10": "dicom-directory",
    "1.2.840.10008.5.1.4.1.1.481.3": "dicom-rtstruct",
    "1.2.840.10008.5.1.4.1.1.66.4": "dicom-seg",
    "1.2.840.10008.5.1.4.1.1.66.7": "dicom-seg",
    "1.2.840.10008.5.1.4.1.1.66": "dicom-raw",
    "1.2.840.10008.5.1.4.1.1.481.2": "dicom-rtdose",
    "1.2.840.10008.5.1.4.1.1.481.5": "dicom-rtplan",
    "1.2.840.10008.5.1.4.1.1.66.1": "dicom-registration",
    "1.2.840.10008.5.1.4.1.1.66.3": "dicom-registration",
}
_KIND_PREFIXES = (
    ("1.2.840.10008.5.1.4.1.1.88.", "dicom-report"),
    ("1.2.840.10008.5.1.4.1.1.11.", "dicom-presentation"),
    ("1.2.840.10008.5.1.4.1.1.104.", "dicom-document"),
    ("1.2.840.10008.5.1.4.1.1.9.", "dicom-waveform"),
    ("1.2.840.10008.5.1.4.1.1.481.", "dicom-radiotherapy"),
)
KEYWORDS = [
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"),
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientIdentityRemoved"),
    *(
        "BurnedInAnnotation",
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "Modality",
        "ImageType",
        "Manufacturer",
    ),
    *("ManufacturerModelName", "BodyPartExamined", "SeriesDescription", "ProtocolName", "ConvolutionKernel"),
    *("KVP", "EchoTime", "RepetitionTime", "InversionTime", "DiffusionBValue", "ContrastBolusAgent"),
    *("MagneticFieldStrength", "AcquisitionNumber", "TemporalPositionIdentifier", "InstanceNumber"),
    *("PatientAge", "PatientSex", "PatientWeight", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel"),
    *("PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation", "PixelSpacing"),
    *("ImagerPixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness"),
    *("SpacingBetweenSlices", "GantryDetectorTilt", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("ModalityLUTSequence", "PixelPaddingValue", "PixelPaddingRangeLimit", "LossyImageCompression"),
    *("PresentationIntentType", "Units", "PerFrameFunctionalGroupsSequence", "DirectoryRecordSequence"),
    *("ScanningSequence", "SequenceVariant", "StudyID", "InstitutionName"),
]


def kind_of_object(header: Header, *, has_pixels: bool) -> str:
    """What an object is, by its SOP Class and never by a free-text field."""
    uid = header.text("SOPClassUID") or str(header.dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if "DirectoryRecordSequence" in header.dataset:
        return "dicom-directory"
    if uid in _KINDS:
        return _KINDS[uid]
    for prefix, kind in _KIND_PREFIXES:
        if uid.startswith(prefix):
            return kind
    is_image = "Rows" in header.dataset or has_pixels or UID(uid).name.endswith("Image Storage")
    return "dicom-image" if is_image else "dicom-other"


def instance_of(header: Header, file_id: str, source: int, site: str, *, has_pixels: bool) -> Instance:
    """The row of one image; positions and directions are turned from LPS to RAS here and nowhere else."""
    spacing = header.numbers("PixelSpacing", 2) or header.numbers("ImagerPixelSpacing", 2)
    row = Instance(
        file_id=file_id,
        source=source,
        site=site,
        format="dicom",
        sop_class_uid=_uid(header, "SOPClassUID"),
        sop_instance_uid=_uid(header, "SOPInstanceUID"),
        series_uid=_uid(header, "SeriesInstanceUID"),
        study_uid=_uid(header, "StudyInstanceUID"),
        frame_of_reference_uid=_uid(header, "FrameOfReferenceUID"),
        transfer_syntax_uid=_uid(Header(header.dataset.file_meta), "TransferSyntaxUID"),
        patient_id=header.text("PatientID"),
        patient_id_issuer=header.text("IssuerOfPatientID"),
        patient_name=header.text("PatientName"),
        birth_date=header.text("PatientBirthDate"),
        identity_removed=header.text("PatientIdentityRemoved") == "YES",
        burned_in_annotation=header.text("BurnedInAnnotation"),
        study_date=header.text("StudyDate") or header.text("SeriesDate") or header.text("AcquisitionDate"),
        modality=header.text("Modality"),
        image_type=header.texts("ImageType"),
        manufacturer=header.text("Manufacturer"),
        model=header.text("ManufacturerModelName"),
        body_part=header.text("BodyPartExamined"),
        series_description=header.text("SeriesDescription"),
        protocol_name=header.text("ProtocolName"),
        convolution_kernel=header.text("ConvolutionKernel"),
        contrast_agent=header.text("ContrastBolusAgent"),
        age=header.text("PatientAge"),
        sex=header.text("PatientSex"),
        photometric=header.text("PhotometricInterpretation"),
        pixel_spacing_mm=spacing,
        orientation=_ras(header.numbers("ImageOrientationPatient", 6)),
        position_mm=_ras(header.numbers("ImagePositionPatient", 3)),
        rescale_type=header.text("RescaleType"),
        has_modality_lut="ModalityLUTSequence" in header.dataset,
        is_lossy=header.text("LossyImageCompression") == "01",
        has_pixels=has_pixels,
        presentation_intent=header.text("PresentationIntentType"),
        pet_units=header.text("Units"),
        **_numbers(header),
    )
    return replace(row, unparsable=tuple(sorted(header.unparsable)))


def _uid(header: Header, keyword: str) -> str | None:
    """A UID of legal characters and length (PS3.5 9.1); anything else is named as unparsable."""
    text = header.text(keyword)
    if text is None or _UID.fullmatch(text):
        return text
    header.unparsable.append(keyword)
    return None


def _ras(lps: tuple[float, ...]) -> tuple[float, ...]:
    """Turn LPS triples into RAS triples: x and y change sign."""
    return tuple(0.0 - v if n % 3 < 2 else v for n, v in enumerate(lps))


def _numbers(header: Header) -> dict[str, Any]:
    return {
        "kvp": header.number("KVP"),
        "echo_time_ms": header.number("EchoTime"),
        "repetition_time_ms": header.number("RepetitionTime"),
        "inversion_time_ms": header.number("InversionTime"),
        "b_value": header.number("DiffusionBValue"),
        "field_strength_t": header.number("MagneticFieldStrength"),
        "weight_kg": header.number("PatientWeight"),
        "slice_thickness_mm": header.number("SliceThickness"),
        "spacing_between_slices_mm": header.number("SpacingBetweenSlices"),
        "gantry_tilt_deg": header.number("GantryDetectorTilt"),
        "rescale_slope": header.number("RescaleSlope"),
        "rescale_intercept": header.number("RescaleIntercept"),
        "acquisition_number": header.integer("AcquisitionNumber"),
        "temporal_position": header.integer("TemporalPositionIdentifier"),
        "instance_number": header.integer("InstanceNumber"),
        "rows": header.integer("Rows", 1, MAX_SIDE),
        "columns": header.integer("Columns", 1, MAX_SIDE),
        "frames": header.integer("NumberOfFrames", 0) or 1,
        "samples": header.integer("SamplesPerPixel", 1) or 1,
        "bits_allocated": header.integer("BitsAllocated", 1),
        "bits_stored": header.integer("BitsStored", 1),
        "pixel_representation": header.integer("PixelRepresentation", 0, 1),
        "pixel_padding": header.integer("PixelPaddingValue"),
        "pixel_padding_limit": header.integer("PixelPaddingRangeLimit"),
    }
