"""Small archives of genuine files, written by other libraries, for the tests of `config init`."""

import json

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid


def write_ct(folder, patient, *, slices=3, modality="CT", series="1.2.3"):
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(slices):
        image = _object(CTImageStorage, modality, patient)
        image.SeriesInstanceUID = series
        image.Rows = image.Columns = 4
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 1
        image.ImagePositionPatient = [0, 0, n]
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        image.PixelSpacing, image.RescaleSlope, image.RescaleIntercept = [1, 1], 1, 0
        image.PixelData = np.zeros((4, 4), np.int16).tobytes()
        image.save_as(folder / f"{n}.dcm", enforce_file_format=True)


def write_rtstruct(folder, patient, names):
    folder.mkdir(parents=True, exist_ok=True)
    structures = _object(RTStructureSetStorage, "RTSTRUCT", patient)
    structures.StructureSetROISequence = []
    structures.ROIContourSequence = []
    for number, name in enumerate(names, start=1):
        region = Dataset()
        region.ROINumber, region.ROIName = number, name
        region.ReferencedFrameOfReferenceUID = "1.2.3.4"
        structures.StructureSetROISequence.append(region)
    structures.save_as(folder / "rs.dcm", enforce_file_format=True)


def write_nifti(path, values=(0,)):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.resize(np.array(values, np.uint8), (4, 4, 4))
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path)


def write_dataset_json(folder, **description):
    (folder / "dataset.json").write_text(json.dumps(description))


def _object(sop_class, modality, patient):
    out = Dataset()
    out.file_meta = FileMetaDataset()
    out.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out.file_meta.MediaStorageSOPClassUID = out.SOPClassUID = sop_class
    out.file_meta.MediaStorageSOPInstanceUID = out.SOPInstanceUID = generate_uid()
    out.Modality, out.PatientID, out.PatientName = modality, patient, "Doe^Jane"
    out.StudyInstanceUID, out.SeriesInstanceUID = "1.2", generate_uid()
    out.FrameOfReferenceUID = "1.2.3.4"
    return out
