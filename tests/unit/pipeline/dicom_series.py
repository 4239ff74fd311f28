"""CT series whose every voxel is known: values are linear in the patient, and slices lie where they are put."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROWS, COLUMNS = 20, 24
SPACING = 0.75, 0.5  # between rows, between columns
GRADIENT = 2.0, -3.0, 5.0  # HU per mm along LPS x, y, z


def value_at(points_lps):
    """The field's HU at points (..., 3) in LPS millimetres."""
    return np.asarray(points_lps) @ np.array(GRADIENT) - 200.0


def write_series(folder, places, *, tilt_deg=0.0, uid="1.2.826.55", name="s", **changes):
    """Axial slices at `places` along their normal; a tilt displaces them along y. `changes[keyword](n)` overrides."""
    folder.mkdir(parents=True, exist_ok=True)
    tilt = np.radians(tilt_deg)
    down = np.array([0.0, np.cos(tilt), np.sin(tilt)])
    normal = np.cross([1.0, 0, 0], down)
    along = np.array([0, 0, 1.0]) / normal[2]  # the table moves along z, whatever the gantry's tilt
    for n, place in enumerate(places):
        origin = np.array([-6.0, -8.0, 30.0]) + place * along
        j, i = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
        points = origin + i[..., None] * SPACING[1] * np.array([1.0, 0, 0]) + j[..., None] * SPACING[0] * down
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = CTImageStorage
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = f"{uid}.{n + 1}"
        image.PatientID, image.PatientName, image.Modality = "P1", "Doe^Jane", "CT"
        image.PatientBirthDate, image.PatientSex = "19600101", "F"
        image.Manufacturer, image.ManufacturerModelName = "ACME", "One"
        image.StudyInstanceUID, image.SeriesInstanceUID = f"{uid}.0.1", f"{uid}.0.2"
        image.StudyDate, image.StudyTime, image.AccessionNumber = "20200101", "101010", ""
        image.StudyID, image.ReferringPhysicianName = "", ""
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = f"{uid}.0.3", ""
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 1, n + 1, 1
        image.ImageType, image.KVP, image.PatientPosition = ["ORIGINAL", "PRIMARY", "AXIAL"], 120, "HFS"
        image.Rows, image.Columns = ROWS, COLUMNS
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 1
        image.PixelSpacing, image.SliceThickness = list(SPACING), 3
        image.ImagePositionPatient = [round(float(v), 6) for v in origin]
        image.ImageOrientationPatient = [1, 0, 0, 0, *(round(float(v), 9) for v in down[1:])]
        image.RescaleSlope, image.RescaleIntercept, image.RescaleType = 1, -1024, "HU"
        stored = np.rint(value_at(points) + 1024).astype(np.int16)
        for keyword, change in changes.items():
            setattr(image, keyword, change(n))
        image.PixelData = stored.tobytes()
        image.save_as(folder / f"{name}{n:03}.dcm", enforce_file_format=True)


def error_of(volume):
    """The largest difference of a volume from the field, over its valid voxels."""
    k, j, i = (a.reshape(-1) for a in np.indices(volume.array.shape))
    points = volume.grid.to_world(np.stack([i, j, k], axis=1).astype(np.float64))
    truth = value_at(points * [-1, -1, 1]).reshape(volume.array.shape)
    error = np.abs(volume.array - truth)
    return float(error.max() if volume.valid is None else error[volume.valid].max())
