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
    "spacing_calibration": "PixelSpacingCalibrationType",
    "view_position": "ViewPosition",
    "image_laterality": "ImageLaterality",
    "laterality": "Laterality",
    "voi_function": "VOILUTFunction",
    "pet_units": "Units",
    "lossy_method": "LossyImageCompressionMethod",
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
    "magnification": "EstimatedRadiographicMagnificationFactor",
    "source_to_detector_mm": "DistanceSourceToDetector",
    "source_to_patient_mm": "DistanceSourceToPatient",
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
B_VALUES = (
    (0x0019, "SIEMENS MR HEADER", 0x0C),
    (0x0043, "GEMS_PARM_01", 0x39),
    (0x2001, "Philips Imaging DD 001", 0x03),
)
TUPLES = {
    "orientation": ("ImageOrientationPatient", 6),
    "position_mm": ("ImagePositionPatient", 3),
    "gradient": ("DiffusionGradientOrientation", 3),
}
LISTS = {
    "image_type": "ImageType",
    "patient_orientation": "PatientOrientation",
    "voi_centre": "WindowCenter",
    "voi_width": "WindowWidth",
}
PAIRS = {"pixel_spacing_mm": "PixelSpacing", "imager_spacing_mm": "ImagerPixelSpacing"}

PET = (
    "AcquisitionDate", "AcquisitionDateTime", "AcquisitionTime", "ActualFrameDuration", "AttenuationCorrected",
    "CorrectedImage", "DecayCorrected", "DecayCorrection", "DecayCorrectionDateTime", "DecayFactor", "FrameReferenceTime",
    "PatientSex", "PatientSize", "PatientWeight", "SUVType", "SeriesDate", "SeriesTime", "TimezoneOffsetFromUTC",
)  # fmt: skip
TRACER = (
    "RadionuclideHalfLife", "RadionuclideTotalDose", "RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime",
)  # fmt: skip
PRIVATE_PET = {
    "GEScanDateTime": (0x0009, "GEMS_PETD_01", 0x0D),
    "PhilipsSUVFactor": (0x7053, "Philips PET Private Group", 0x00),
    "PhilipsActivityFactor": (0x7053, "Philips PET Private Group", 0x09),
}
NUCLIDES = {"C-111A1": "F-18", "C-131A3": "Ga-68"}


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


def texts_of(dataset, keyword):
    value = value_of(dataset, keyword)
    values = () if value is None else value if isinstance(value, MultiValue | list) else (value,)
    return tuple(str(v).strip(" \0") for v in values)


def expected_code(dataset):
    """The first code of the view."""
    items = value_of(dataset, "ViewCodeSequence") or []
    return next((code for item in items if (code := text_of(item, "CodeValue"))), None)


def expected(path_or_file):
    """Field by field what a row must hold, but for what only our own rules say."""
    dataset = pydicom.dcmread(path_or_file, stop_before_pixels=True, force=True)
    out = {name: text_of(dataset, keyword) for name, keyword in TEXTS.items()}
    out |= {name: number_of(dataset, keyword) for name, keyword in NUMBERS.items()}
    for name, (keyword, count) in TUPLES.items():
        lps = tuple_of(dataset, keyword, count)
        # LPS to RAS: the first two of each three change sign
        out[name] = tuple(-v if n % 3 < 2 else v for n, v in enumerate(lps))
    out |= {name: tuple_of(dataset, keyword, 2) for name, keyword in PAIRS.items()}
    out |= {name: texts_of(dataset, keyword) for name, keyword in LISTS.items()}
    dates = (text_of(dataset, k) for k in ("StudyDate", "SeriesDate", "AcquisitionDate"))
    return out | {
        "transfer_syntax_uid": text_of(dataset.file_meta, "TransferSyntaxUID"),
        "study_date": next((d for d in dates if d), None),
        "view_code": expected_code(dataset),
        "has_voi_lut": "VOILUTSequence" in dataset,
        "identity_removed": text_of(dataset, "PatientIdentityRemoved") == "YES",
        "is_lossy": text_of(dataset, "LossyImageCompression") == "01",
        "has_modality_lut": "ModalityLUTSequence" in dataset,
        "frames": int(number_of(dataset, "NumberOfFrames") or 1),
        "samples": int(number_of(dataset, "SamplesPerPixel") or 1),
        "b_value": b_value_of(dataset),
        "lossy_ratio": raw_text_of(dataset, "LossyImageCompressionRatio"),
        "pet": expected_pet(dataset),
    }


def expected_pet(dataset):
    """What a PET image says of its tracer, its times and its scale; the nuclide by its code, else by the name FDG."""
    if text_of(dataset, "Modality") != "PT" or "Rows" not in dataset:
        return ()
    out = {name: text_of(dataset, name) for name in PET}
    for name, (group, creator, number) in PRIVATE_PET.items():
        if any(e.tag.elem < 0x100 and e.value == creator for e in dataset.group_dataset(group)):
            block = dataset.private_block(group, creator)
            out[name] = str(block[number].value) if number in block else None
    tracers = value_of(dataset, "RadiopharmaceuticalInformationSequence") or []
    if tracers:
        out |= {name: text_of(tracers[0], name) for name in TRACER} | {"Tracers": str(len(tracers))}
        codes = [text_of(c, "CodeValue") for c in value_of(tracers[0], "RadionuclideCodeSequence") or []]
        is_fdg = "FDG" in (text_of(tracers[0], "Radiopharmaceutical") or "")
        out["Nuclide"] = next((NUCLIDES[c] for c in codes if c in NUCLIDES), "F-18" if is_fdg else None)
    return tuple(sorted(f"{name}={value}" for name, value in out.items() if value))


def raw_text_of(dataset, keyword):
    """A text whatever it should be: numbers that are none are not numbers yet."""
    element = dataset.get_item(keyword)
    text = "" if element is None or element.value is None else bytes(element.value).decode("latin-1")
    return text.strip(" \0") or None


def b_value_of(dataset):
    """The public b-value, else the private one of a classic MR image."""
    public = number_of(dataset, "DiffusionBValue")
    is_classic = text_of(dataset, "Modality") == "MR" and (number_of(dataset, "NumberOfFrames") or 1) <= 1
    if public is not None or not is_classic:
        return public
    for group, creator, number in B_VALUES:
        try:
            element = dataset.private_block(group, creator)[number]
        except KeyError:
            continue
        value = element.value
        value = value.decode("ascii") if isinstance(value, bytes) else value
        first = (
            value.split("\\")[0]
            if isinstance(value, str)
            else value[0]
            if isinstance(value, MultiValue)
            else value
        )
        return float(first) % 1e9
    return None


def disagreements(instance, path_or_file):
    """What a row says otherwise than pydicom; what it calls unparsable (`1_0`, `nan`) it must leave empty."""
    names = {**TEXTS, **NUMBERS, **PAIRS, **{n: k for n, (k, _) in TUPLES.items()}}
    out = []
    for name, value in expected(path_or_file).items():
        found = getattr(instance, name)
        is_named = names.get(name) in instance.unparsable
        if found != value and not (is_named and found in {None, ()}):
            out.append((name, found, value))
        if is_named and found not in {None, ()}:
            out.append((name, found, "unparsable"))
    return out
