"""Reads headers with pydicom and touches their values; run by an interpreter that has pydicom alone.

Usage: python -m benchmarks.index.pydicom_scan (specific|all) LIST-OF-PATHS WARM-UP-LIST PASSES

It is the quickest way found to do so: tags made once, values without validation, no look-up by keyword.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from pydicom import config, dcmread
from pydicom.tag import Tag

from benchmarks.index.timing import serve

# What the index keeps of a file, by keyword.
KEYWORDS = [
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "AcquisitionTime",
    "AccessionNumber",
    "Modality",
    "PresentationIntentType",
    "Manufacturer",
    "InstitutionName",
    "StudyDescription",
    "SeriesDescription",
    "ManufacturerModelName",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientWeight",
    "PatientIdentityRemoved",
    "ContrastBolusAgent",
    "BodyPartExamined",
    "SliceThickness",
    "KVP",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "MagneticFieldStrength",
    "SpacingBetweenSlices",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "ProtocolName",
    "GantryDetectorTilt",
    "ImagerPixelSpacing",
    "ConvolutionKernel",
    "DiffusionBValue",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "TemporalPositionIdentifier",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "BurnedInAnnotation",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "LossyImageCompression",
    "ModalityLUTSequence",
    "Units",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]


TAGS = [Tag(keyword) for keyword in KEYWORDS]


def main() -> None:
    """Read the listed files some times over."""
    way, listed, warm_up, passes = sys.argv[1:]
    paths, few = (Path(name).read_text().splitlines() for name in (listed, warm_up))
    warnings.simplefilter("ignore")
    config.settings.reading_validation_mode = config.IGNORE
    read = READERS[way]
    serve(lambda: sum(not read(p) for p in paths), lambda: [read(p) for p in few], int(passes))


def read_specific(path: str) -> bool:
    """Read the kept elements only, and touch them: pydicom converts a value when it is asked for."""
    try:
        dataset = dcmread(path, stop_before_pixels=True, specific_tags=TAGS, force=True)
        for element in dataset:
            _ = element.value
    except Exception:  # noqa: BLE001 - odd files are part of the data; they are counted
        return False
    return True


def read_all(path: str) -> bool:
    """Read every element in front of the pixels, and touch those that are kept."""
    try:
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        for tag in TAGS:
            if tag in dataset:
                _ = dataset[tag].value
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


READERS = {"specific": read_specific, "all": read_all}

if __name__ == "__main__":
    main()
