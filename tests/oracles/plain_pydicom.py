"""What pydicom alone says of the attributes of `Instance`; nothing of ours is asked."""

import math

import pydicom
from pydicom.multival import MultiValue

TEXTS = {
    "sop_class_uid": "SOPClassUID",
    "sop_instance_uid": "SOPInstanceUID",
    "series_uid": "SeriesInstanceUID",
    "study_uid": "StudyInstanceUID",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "patient_id": "PatientID",
    "patient_id_issuer": "IssuerOfPatientID",
    "patient_name": "PatientName",
    "birth_date": "PatientBirthDate",
    "burned_in_annotation": "BurnedInAnnotation",
    "accession_number": "AccessionNumber",
    "acquisition_time": "AcquisitionTime",
    "content_time": "ContentTime",
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "device_serial": "DeviceSerialNumber",
    "software": "SoftwareVersions",
    "institution": "InstitutionName",
    "body_part": "BodyPartExamined",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "protocol_name": "ProtocolName",
    "convolution_kernel": "ConvolutionKernel",
    "contrast_agent": "ContrastBolusAgent",
    "age": "PatientAge",
    "sex": "PatientSex",
    "photometric": "PhotometricInterpretation",
    "rescale_type": "RescaleType",
    "presentation_intent": "PresentationIntentType",
    "pet_units": "Units",
}
NUMBERS = {
    "kvp": "KVP",
    "echo_time_ms": "EchoTime",
    "repetition_time_ms": "RepetitionTime",
    "inversion_time_ms": "InversionTime",
    "b_value": "DiffusionBValue",
    "trigger_time_ms": "TriggerTime",
    "field_strength_t": "MagneticFieldStrength",
    "weight_kg": "PatientWeight",
    "slice_thickness_mm": "SliceThickness",
    "spacing_between_slices_mm": "SpacingBetweenSlices",
    "gantry_tilt_deg": "GantryDetectorTilt",
    "rescale_slope": "RescaleSlope",
    "rescale_intercept": "RescaleIntercept",
    "series_number": "SeriesNumber",
    "acquisition_number": "AcquisitionNumber",
    "temporal_position": "TemporalPositionIdentifier",
    "temporal_positions": "NumberOfTemporalPositions",
    "images_in_acquisition": "ImagesInAcquisition",
    "instance_number": "InstanceNumber",
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "high_bit": "HighBit",
    "pixel_representation": "PixelRepresentation",
    "pixel_padding": "PixelPaddingValue",
    "pixel_padding_limit": "PixelPaddingRangeLimit",
}
TUPLES = {
    "orientation": ("ImageOrientationPatient", 6),
    "position_mm": ("ImagePositionPatient", 3),
    "gradient": ("DiffusionGradientOrientation", 3),
}


def value_of(dataset, keyword):
    """The value as pydicom gives it, or None where there is none or it cannot be had."""
    try:
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001 - pydicom raises many types
        return None
    return None if value is None or value == "" else value


def text_of(dataset, keyword):
    value = value_of(dataset, keyword)
    if isinstance(value, MultiValue | list):
        value = "\\".join(str(v) for v in value)
    return None if value is None else str(value).strip(" \0") or None


def number_of(dataset, keyword):
    value = value_of(dataset, keyword)
    try:
        number = None if value is None or isinstance(value, MultiValue | list | bytes) else float(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def tuple_of(dataset, keyword, count):
    value = value_of(dataset, keyword)
    if not isinstance(value, MultiValue | list) or len(value) != count:
        return ()
    try:
        return tuple(float(v) for v in value)
    except (TypeError, ValueError):
        return ()


def expected(path_or_file):
    """Field by field what a row must hold, but for what only our own rules say."""
    dataset = pydicom.dcmread(path_or_file, stop_before_pixels=True, force=True)
    out = {name: text_of(dataset, keyword) for name, keyword in TEXTS.items()}
    out |= {name: number_of(dataset, keyword) for name, keyword in NUMBERS.items()}
    for name, (keyword, count) in TUPLES.items():
        lps = tuple_of(dataset, keyword, count)
        # LPS to RAS: the first two of each three change sign
        out[name] = tuple(-v if n % 3 < 2 else v for n, v in enumerate(lps))
    spacing = tuple_of(dataset, "PixelSpacing", 2) or tuple_of(dataset, "ImagerPixelSpacing", 2)
    dates = (text_of(dataset, k) for k in ("StudyDate", "SeriesDate", "AcquisitionDate"))
    kinds = value_of(dataset, "ImageType")
    kinds = () if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
    return out | {
        "transfer_syntax_uid": text_of(dataset.file_meta, "TransferSyntaxUID"),
        "pixel_spacing_mm": spacing,
        "study_date": next((d for d in dates if d), None),
        "image_type": tuple(str(k).strip(" \0") for k in kinds),
        "identity_removed": text_of(dataset, "PatientIdentityRemoved") == "YES",
        "is_lossy": text_of(dataset, "LossyImageCompression") == "01",
        "has_modality_lut": "ModalityLUTSequence" in dataset,
        "frames": int(number_of(dataset, "NumberOfFrames") or 1),
        "samples": int(number_of(dataset, "SamplesPerPixel") or 1),
    }


def disagreements(instance, path_or_file):
    """What a row says otherwise than pydicom; what it calls unparsable (`1_0`, `nan`) it must leave empty."""
    names = {**TEXTS, **NUMBERS, **{n: k for n, (k, _) in TUPLES.items()}}
    out = []
    for name, value in expected(path_or_file).items():
        found = getattr(instance, name)
        keywords = (
            ("PixelSpacing", "ImagerPixelSpacing") if name == "pixel_spacing_mm" else (names.get(name),)
        )
        is_named = any(keyword in instance.unparsable for keyword in keywords)
        if found != value and not (is_named and found in {None, ()}):
            out.append((name, found, value))
        if is_named and name != "pixel_spacing_mm" and found not in {None, ()}:
            out.append((name, found, "unparsable"))
    return out
