"""A small sound series whose every voxel is known, as pydicom data sets that faults are planted in."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite

from isocenter.base import seeds
from isocenter.testing.simulate import dicom
from isocenter.testing.simulate.lattice import AXIAL, Lattice

_DATE, _TIME = "20240311", "101500"
_RESCALED = {"CT": ("1", "-1024", "HU"), "PT": ("1", "0", "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A sound series, before anything is done to it.

    Args:
        seed: Everything random in it hangs on this.
        slices: Number of slices.
        rows: Rows of a slice.
        columns: Columns of a slice.
        modality: "CT" (HU), "MR" or "PT" (stored numbers).
        spacing_mm: Distance of slices, rows and columns.
        axes: Directions of columns' index, rows' index and slices in LPS.
    """

    seed: int = 0
    slices: int = 20
    rows: int = 40
    columns: int = 48
    modality: str = "CT"
    spacing_mm: tuple[float, float, float] = (2.5, 0.7, 0.8)
    axes: tuple[tuple[float, ...], ...] = AXIAL

    def lattice(self) -> Lattice:
        """Where the voxels are."""
        shape = (self.slices, self.rows, self.columns)
        return Lattice.around((3.0, -11.0, 40.0), self.axes, self.spacing_mm, shape)

    def values(self, part: int = 0) -> NDArray[np.int16]:
        """(K, J, I) values in the unit of the modality: a body with a bone and a hole; no two slices are equal.

        Another `part` is the same body with another noise, brighter by 30: a second phase or echo.
        """
        k, j, i = np.meshgrid(
            *(np.linspace(-1, 1, n) for n in (self.slices, self.rows, self.columns)), indexing="ij"
        )
        out = np.full(k.shape, -1000.0)
        out[(j / 0.8) ** 2 + (i / 0.85) ** 2 < 1] = 40.0
        out[(j - 0.3) ** 2 + (i + 0.4) ** 2 + (k / 2) ** 2 < 0.05] = 900.0
        out[(j + 0.3) ** 2 + (i - 0.2) ** 2 + (k / 3) ** 2 < 0.04] = -110.0
        out += seeds.stream(self.seed, "broken", "noise", part).integers(-9, 10, out.shape) + 30 * (part > 0)
        # a mark in each slice that says which it is
        out[np.arange(self.slices), 1, 1] = np.arange(self.slices) * 10 + 500
        if self.modality != "CT":
            out = (out + 1100) / 2
        return np.asarray(np.rint(out), dtype=np.int16)

    def objects(self, values: NDArray[Any] | None = None, lattice: Lattice | None = None) -> list[Dataset]:
        """One data set per slice, in the order of k; 12 bits without a sign, HU + 1024 for CT."""
        values = self.values() if values is None else values
        lattice = self.lattice() if lattice is None else lattice
        return [self._object(k, values[k], lattice) for k in range(len(values))]

    def truth(self, values: NDArray[Any] | None = None, lattice: Lattice | None = None) -> TrueVolume:
        """What a right reader makes of it."""
        return TrueVolume(
            array=self.values() if values is None else values,
            affine=(self.lattice() if lattice is None else lattice).affine_ras(),
        )

    def uid(self, *purpose: str | int) -> str:
        """A UID for one purpose, of the form of PS3.5 B.2."""
        return uid(self.seed, self.modality, *purpose)

    def _object(self, k: int, plane: NDArray[Any], lattice: Lattice) -> Dataset:
        out = self._header()
        k_step, j_step, i_step = lattice.spacing_mm
        cosines = np.concatenate([lattice.steps[:, 0] / i_step, lattice.steps[:, 1] / j_step])
        out.SOPInstanceUID, out.InstanceNumber = self.uid("object", k), k + 1
        out.PixelSpacing = [dicom.decimal(j_step), dicom.decimal(i_step)]
        out.SliceThickness = dicom.decimal(k_step)
        out.ImageOrientationPatient = [dicom.decimal(c, 11) for c in cosines]
        out.ImagePositionPatient = [dicom.decimal(p, 8) for p in lattice.position(k)]
        dicom.pixel_module(out, *plane.shape, is_signed=False, bits=12)
        set_stored(out, plane + (1024 if self.modality == "CT" else 0))
        return out

    def _header(self) -> Dataset:
        out = Dataset()
        out.SpecificCharacterSet = "ISO_IR 192"
        out.SOPClassUID = dicom.SOP_CLASSES[self.modality]
        out.ImageType = ["ORIGINAL", "PRIMARY", {"CT": "AXIAL", "MR": "M", "PT": "AXIAL"}[self.modality]]
        out.StudyDate = out.SeriesDate = out.AcquisitionDate = out.ContentDate = _DATE
        out.StudyTime = out.SeriesTime = out.AcquisitionTime = out.ContentTime = _TIME
        out.AccessionNumber = out.ReferringPhysicianName = out.PatientBirthDate = ""
        out.Modality, out.Manufacturer, out.ManufacturerModelName = self.modality, "Maker", "Model 1"
        out.PatientName, out.PatientID, out.PatientSex = "Simulated^Person", f"SIM{self.seed:04d}", "O"
        out.StudyInstanceUID, out.SeriesInstanceUID = self.uid("study"), self.uid("series")
        out.FrameOfReferenceUID, out.PositionReferenceIndicator = self.uid("frame"), ""
        out.StudyID, out.SeriesNumber, out.AcquisitionNumber = "1", 2, 1
        out.BodyPartExamined, out.PatientPosition = "CHEST", "HFS"
        if self.modality == "CT":
            out.KVP, out.ConvolutionKernel = "120", "B30"
        elif self.modality == "MR":
            out.ScanningSequence, out.SequenceVariant, out.ScanOptions = "SE", "NONE", ""
            out.MRAcquisitionType, out.EchoTime, out.RepetitionTime = "2D", "20", "500"
            out.EchoTrainLength = 1
        else:
            out.Units, out.DecayCorrection, out.CorrectedImage = "GML", "START", ["DECY", "ATTN"]
        if self.modality in _RESCALED:
            slope, intercept, kind = _RESCALED[self.modality]
            out.RescaleSlope, out.RescaleIntercept = slope, intercept
            if kind:
                out.RescaleType = kind
        return out


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrueVolume:
    """What a volume is when it is read rightly.

    Args:
        array: (K, J, I) values.
        affine: (4, 4) from (i, j, k, 1) to RAS+ mm.
        padding: (K, J, I), True where nothing was measured; None where all was.
        tolerance_mm: How far a voxel may lie from its place.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    padding: NDArray[np.bool_] | None = None
    tolerance_mm: float = 1e-3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Planted:
    """A broken series: its files (relative names and bytes), and the volumes that can be made of it."""

    files: dict[str, bytes]
    volumes: tuple[TrueVolume, ...] = ()


def uid(*purpose: str | int) -> str:
    """A UID that hangs on nothing but its purpose."""
    words = "\x1f".join(map(str, ("broken", *purpose)))
    number = int.from_bytes(hashlib.blake2b(words.encode(), digest_size=16).digest(), "big")
    return f"2.25.{number | 1 << 127}"


def encoded(dataset: Dataset, syntax: str = dicom.EXPLICIT) -> bytes:
    """A data set as the bytes of a Part 10 file."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "2.25.1")
    meta.TransferSyntaxUID, meta.ImplementationClassUID = syntax, "2.25.2"
    dataset.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def packed(objects: Iterable[Dataset], syntax: str = dicom.EXPLICIT) -> dict[str, bytes]:
    """Files of the objects, whose names say nothing of their order."""
    return {file_name(n): encoded(one, syntax) for n, one in enumerate(objects)}


def file_name(number: int) -> str:
    """A name for the file of that number; their alphabetical order is another one."""
    return f"IM{number * 7919 % 10007:05d}.dcm"


def changed(
    objects: Sequence[Dataset], which: Iterable[int] | None = None, **attributes: Any
) -> list[Dataset]:
    """The objects, with attributes of some (or all) set, or taken away where None."""
    for number in range(len(objects)) if which is None else which:
        for keyword, value in attributes.items():
            if value is not None:
                setattr(objects[number], keyword, value)
            elif keyword in objects[number]:
                delattr(objects[number], keyword)
    return list(objects)


def stored(dataset: Dataset) -> NDArray[Any]:
    """(rows, columns) stored numbers."""
    kind = "<i2" if dataset.PixelRepresentation else "<u2"
    return np.frombuffer(dataset.PixelData, kind).reshape(dataset.Rows, dataset.Columns).copy()


def set_stored(dataset: Dataset, plane: NDArray[Any]) -> None:
    """Put stored numbers into a data set, as many bytes wide as it says."""
    dataset.PixelData = plane.astype("<i2" if dataset.PixelRepresentation else "<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def again(scan: Scan, part: int, **attributes: Any) -> list[Dataset]:
    """The series acquired once more: other objects and noise at the same places."""
    out = scan.objects(scan.values(part))
    for k, one in enumerate(out):
        one.SOPInstanceUID = scan.uid("object", part, k)
        one.InstanceNumber = scan.slices * part + k + 1
    return changed(out, **attributes)


def with_padding(volume: TrueVolume, padding: NDArray[np.bool_]) -> TrueVolume:
    """The volume with a part in which nothing was measured."""
    return replace(volume, padding=padding)
