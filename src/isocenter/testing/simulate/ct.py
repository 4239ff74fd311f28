"""The simulated CT scanner: a patient, a protocol, and the series that comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from isocenter.testing.simulate import dicom, phantom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.lattice import AXIAL, Lattice, rearranged
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.phantom import Anatomy
from isocenter.testing.simulate.solids import tuple3
from isocenter.testing.simulate.truth import TrueCase, digest

# Field of view: the body and some air around it.
FIELD_MM = 380.0
AIR_HU = -1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a series is acquired and written.

    Args:
        axes: Directions of i, j, k in LPS; k is their cross product.
        slice_mm: Distance between slices.
        numbering: Instance Numbers: up, down or shuffled along k.
        names: File names: plain (no extension), dcm, person or uid.
        syntax: Transfer syntax.
        intercept: Rescale Intercept; the slope is 1.
        is_signed: Whether pixels are signed.
        padding: Pixel Padding Value outside the round field of view.
        patient_position: HFS, FFS, ...
        tilt_deg: Gantry tilt.
    """

    axes: tuple[tuple[float, ...], ...] = AXIAL
    slice_mm: float = 5.0
    numbering: str = "up"
    names: str = "dcm"
    syntax: str = dicom.EXPLICIT
    intercept: int = -1024
    is_signed: bool = False
    padding: int | None = None
    patient_position: str = "HFS"
    tilt_deg: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One acquired volume: int16 Hounsfield units (K, J, I) with -1024 where `is_padding`."""

    anatomy: Anatomy
    lattice: Lattice
    values: NDArray[np.int16]
    is_padding: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Patient:
    """A written patient: the truth, and what a fault or a further series needs to be planted.

    `series` is None where the image has no header of its own.
    """

    case: TrueCase
    person: Person
    scan: Scan
    folder: Path
    images: tuple[Path, ...]
    series: dicom.Series | None = None


def acquire(
    archive: Archive,
    person: Person,
    protocol: Protocol,
    *,
    lesions: int,
    is_ring: bool = False,
    pixel_mm: float = 0.0,
    count: int = 0,
) -> Scan:
    """Scan a patient.

    Args:
        archive: Gives size and seed.
        person: Who lies in the scanner; decides the device's noise.
        protocol: How.
        lesions: How many the patient has.
        is_ring: Whether the first has a necrotic core.
        pixel_mm: Pixel size; by default the body fits.
        count: Slices; by default those of the archive.
    """
    pixel = pixel_mm or round(FIELD_MM / archive.matrix, 3)
    shape = (count or archive.slices, archive.matrix, archive.matrix)
    spacing = (protocol.slice_mm, pixel, pixel)
    along = np.abs(np.array(protocol.axes)).argmax(axis=1)
    steps, coverage = np.zeros(3), np.zeros(3)
    steps[along] = spacing[::-1]
    coverage[along] = np.array(spacing[::-1]) * shape[::-1]
    anatomy = phantom.patient(
        archive.stream("anatomy", person.number),
        lesions=lesions,
        steps_mm=tuple3(steps),
        coverage_mm=tuple3(coverage),
        is_ring=is_ring,
    )
    anatomy = individual(anatomy, archive.stream("build", person.number))
    centre = list(anatomy.middle)
    across = int(along[2])
    if across != 2 and lesions:
        centre[across] = anatomy.solids("lesion")[0].centre[across]
    jitter = archive.stream("table", person.number).uniform(-1, 1, 3) * spacing[::-1] * 0.45
    lattice = Lattice.around((centre + jitter).tolist(), protocol.axes, spacing, shape)
    if protocol.tilt_deg:
        lattice = lattice.sheared(protocol.tilt_deg)
    device = person.device
    seen = phantom.image(
        anatomy, lattice, archive.stream("noise", person.number), blur=device.blur, noise=device.noise
    )
    values = phantom.hounsfield(seen)
    is_padding = _outside_round_field(shape) if protocol.padding is not None else np.zeros(shape, np.bool_)
    values[is_padding] = AIR_HU
    return Scan(anatomy, lattice, values, is_padding)


def slices(series: dicom.Series, scan: Scan, protocol: Protocol) -> list[Dataset]:
    """The scan as data sets, one per slice, in the order of k."""
    count = scan.lattice.shape[0]
    numbers = np.arange(1, count + 1)
    if protocol.numbering == "down":
        numbers = numbers[::-1]
    elif protocol.numbering == "shuffled":
        numbers = series.archive.stream("numbers", series.person.number).permutation(numbers)
    stored = scan.values.astype(np.int32) - protocol.intercept
    is_axial = abs(scan.lattice.normal[2]) > 0.9
    shared: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"] if is_axial else ["DERIVED", "PRIMARY", "MPR"],
        "BodyPartExamined": "CHEST",
        "PatientPosition": protocol.patient_position,
        "KVP": series.person.device.kvp,
        "ConvolutionKernel": series.person.device.kernel,
        "RescaleIntercept": str(protocol.intercept),
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "WindowCenter": "40",
        "WindowWidth": "400",
    }
    if protocol.tilt_deg:
        shared["GantryDetectorTilt"] = dicom.decimal(protocol.tilt_deg)
    if protocol.padding is not None:
        stored[scan.is_padding] = protocol.padding
        shared["PixelPaddingValue"] = protocol.padding
    if not protocol.is_signed:
        shared |= {"BitsStored": 12, "HighBit": 11}
    pixels = stored.astype(np.int16 if protocol.is_signed else np.uint16)
    return dicom.slices(series, scan.lattice, pixels, numbers.tolist(), shared=shared)


def write(series: dicom.Series, datasets: Sequence[Dataset], folder: Path, protocol: Protocol) -> list[Path]:
    """Write data sets under the names that the protocol gives; returns them in the same order."""
    person = series.person
    named: dict[str, Callable[[Dataset], str]] = {
        "plain": lambda d: f"I{int(d.InstanceNumber):06d}",
        "dcm": lambda d: f"IM{int(d.InstanceNumber):04d}.dcm",
        "person": lambda d: f"{person.label}_{int(d.InstanceNumber):03d}.dcm",
        "uid": lambda d: f"{d.SOPInstanceUID}.dcm",
    }
    name = named[protocol.names]
    return [dicom.save(d, folder / name(d), protocol.syntax) for d in datasets]


def true_case(archive: Archive, person: Person, scan: Scan, paths: Sequence[Path], **facts: Any) -> TrueCase:
    """What is known of a written CT; `facts` are further fields of `TrueCase`."""
    order, flips = scan.lattice.to_canonical()
    canonical = rearranged(scan.values, order, flips)
    return TrueCase(
        modality="CT",
        site=person.site,
        paths=archive.relative(paths),
        shape=scan.lattice.shape,
        affine=tuple(float(v) for v in scan.lattice.affine_ras().ravel()),
        canonical_shape=tuple(canonical.shape),
        values_digest=digest(canonical),
        padding_voxels=int(np.count_nonzero(scan.is_padding)),
        **facts,
    )


def dicom_facts(series: dicom.Series) -> dict[str, Any]:
    """What a reader of the header would know: subject, date, series and attributes."""
    person = series.person
    return {
        "format": "dicom",
        "subject": person.patient_id,
        "study_date": person.study_date,
        "series_uid": series.series_uid,
        "attributes": {
            "age": str(person.age),
            "sex": person.sex,
            "weight_kg": f"{person.weight_kg:.1f}",
            "manufacturer": person.device.manufacturer,
            "model": person.device.model,
        },
    }


def _outside_round_field(shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Pixels (K, J, I) outside the circle that the scanner reconstructs."""
    j = np.arange(shape[1])[:, None] - (shape[1] - 1) / 2
    i = np.arange(shape[2])[None, :] - (shape[2] - 1) / 2
    outside = j * j + i * i > (0.49 * min(shape[1:])) ** 2
    return np.ascontiguousarray(np.broadcast_to(outside, shape))
