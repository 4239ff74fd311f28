"""MR and PET series of patients who also had a CT: MR in its own frame of reference, PET in the CT's."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from isocenter.testing.simulate import ct, dicom, phantom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Patient
from isocenter.testing.simulate.lattice import Lattice
from isocenter.testing.simulate.truth import TrueCase

_WEIGHTINGS = {"t1": ("T1 TSE", "480", "12"), "t2": ("T2 TSE", "3600", "92")}
_HALF_LIFE_SECONDS, _DOSE_BQ = 6586.2, 3.5e8
_UPTAKE_SECONDS, _FRAME_SECONDS = 3480, 180


def write_mr(archive: Archive, patient: Patient, *, slice_mm: float = 4.5, **facts: Any) -> list[TrueCase]:
    """Write a T1- and a T2-weighted series on one grid; returns what is known of them.

    `slice_mm` is the distance between slices along their normal; a fault makes it large.
    """
    grid = _coarser(patient.scan.lattice, slice_mm, 1.4)
    frame = archive.uid("frame-mr", patient.person.number)
    out = []
    for number, (weighting, (name, repetition, echo)) in enumerate(_WEIGHTINGS.items(), start=20):
        series = dicom.new_series(archive, patient.person, "MR", number, name, frame_uid=frame, has_age=False)
        seen = phantom.image(
            patient.scan.anatomy, grid, archive.stream("noise", weighting, patient.person.number),
            contrast=weighting, noise=12,
        )  # fmt: skip
        shared = {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "SE"],
            "BodyPartExamined": "CHEST",
            "PatientPosition": "HFS",
            "ScanningSequence": "SE",
            "SequenceVariant": "SK",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "RepetitionTime": repetition,
            "EchoTime": echo,
            "EchoTrainLength": "7",
            "MagneticFieldStrength": "1.5",
            "SpacingBetweenSlices": dicom.decimal(slice_mm),
            "ProtocolName": name,
        }
        pixels = np.clip(np.rint(np.abs(seen)), 0, 4095).astype(np.uint16)
        out.append(_write(archive, patient, series, grid, pixels, shared, [], {"kind": "mr", **facts}))
    return out


def write_pet(archive: Archive, patient: Patient) -> TrueCase:
    """Write a PET whose Rescale Slope differs from slice to slice (PS3.3 C.8.9.4)."""
    assert patient.series is not None
    grid = _coarser(patient.scan.lattice, patient.scan.lattice.spacing_mm[0], 1.6)
    series = dicom.new_series(archive, patient.person, "PT", 10, "PET WB", has_age=False)
    seen = phantom.image(
        patient.scan.anatomy, grid, archive.stream("noise", "pet", patient.person.number),
        contrast="suv", blur=1.1, noise=0.04,
    )  # fmt: skip
    left_bq = _DOSE_BQ * 2 ** (-_UPTAKE_SECONDS / _HALF_LIFE_SECONDS)
    activity = np.clip(seen, 0, None) * np.float32(left_bq / (patient.person.weight_kg * 1000))
    slopes = np.maximum(activity.max(axis=(1, 2)), 1) / 32000
    texts = [dicom.decimal(float(slope), 8) for slope in slopes]
    pixels = np.rint(activity / np.array([float(t) for t in texts])[:, None, None]).astype(np.int16)
    shared = {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "BodyPartExamined": "CHEST",
        "PatientPosition": "HFS",
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "CorrectedImage": ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"],
        "DecayCorrection": "START",
        "RescaleIntercept": "0",
        "NumberOfSlices": grid.shape[0],
        "FrameReferenceTime": "0",
        "ActualFrameDuration": str(1000 * _FRAME_SECONDS),
        "DecayFactor": dicom.decimal(_decay_within_frame(), 8),
        "RadiopharmaceuticalInformationSequence": [
            _tracer(patient.person.study_date, patient.person.study_time)
        ],
    }
    each = [{"RescaleSlope": text, "ImageIndex": k + 1} for k, text in enumerate(texts)]
    return _write(archive, patient, series, grid, pixels, shared, each, {
        "kind": "pet", "registered_with": patient.series.series_uid,
    })  # fmt: skip


def _tracer(date: str, time: str) -> Dataset:
    """The injection, so many seconds before the series, be it on the day before."""
    injected = datetime.strptime(date + time[:6], "%Y%m%d%H%M%S") - timedelta(seconds=_UPTAKE_SECONDS)  # noqa: DTZ007 - scanners state none
    out = Dataset()
    out.Radiopharmaceutical = "Fluorodeoxyglucose"
    out.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S")
    out.RadiopharmaceuticalStartDateTime = injected.strftime("%Y%m%d%H%M%S")
    out.RadionuclideTotalDose = dicom.decimal(_DOSE_BQ)
    out.RadionuclideHalfLife = dicom.decimal(_HALF_LIFE_SECONDS)
    out.RadionuclidePositronFraction = "0.967"
    nuclide = Dataset()
    nuclide.CodeValue, nuclide.CodingSchemeDesignator, nuclide.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    out.RadionuclideCodeSequence = [nuclide]
    return out


def _decay_within_frame() -> float:
    """What the counts of the one frame were multiplied by: they decay while it lasts."""
    decay = math.log(2) * _FRAME_SECONDS / _HALF_LIFE_SECONDS
    return decay / (1 - math.exp(-decay))


def _write(
    archive: Archive,
    patient: Patient,
    series: dicom.Series,
    grid: Lattice,
    pixels: Any,
    shared: dict[str, Any],
    each: list[dict[str, Any]],
    facts: dict[str, Any],
) -> TrueCase:
    """Write one series beside the CT."""
    numbers = range(1, grid.shape[0] + 1)
    datasets = dicom.slices(series, grid, pixels, numbers, shared=shared, each=each)
    folder = patient.folder / f"{series.modality.lower()}-{series.number}"
    paths = [dicom.save(d, folder / f"IM{int(d.InstanceNumber):04d}.dcm") for d in datasets]
    order, _ = grid.to_canonical()
    return TrueCase(
        site=series.person.site,
        modality=series.modality,
        paths=archive.relative(paths),
        shape=grid.shape,
        affine=tuple(float(v) for v in grid.affine_ras().ravel()),
        canonical_shape=tuple(grid.shape[::-1][axis] for axis in order[::-1]),
        **{**ct.dicom_facts(series), **facts},
    )


def _coarser(lattice: Lattice, slice_mm: float, factor: float) -> Lattice:
    """A grid of larger pixels over the same region, but no larger than scanners make them."""
    pixel = min(round(lattice.spacing_mm[2] * factor, 3), 9.8)
    return lattice.resampled((slice_mm, pixel, pixel))
