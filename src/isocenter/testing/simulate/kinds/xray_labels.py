"""Chest X-rays with a table of class labels; one of them stored as MONOCHROME1."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate import ct, dicom, phantom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.people import Person
from isocenter.testing.simulate.truth import TrueCase, TrueSite

CLASSES = ("nodule", "effusion", "cardiomegaly")
_DEPTH_MM = 240.0


def write(archive: Archive, site: TrueSite, count: int) -> None:
    """Write the radiographs and `labels.csv`: one row a patient, classes as columns and as one text."""
    rows = []
    for n in range(count):
        person = archive.person(site)
        labels = tuple(
            c for c, holds in zip(CLASSES, (n % 2 == 0, n % 3 == 1, n % 5 == 3), strict=True) if holds
        )
        pixels, pixel_mm = _expose(archive, person, labels)
        archive.cases.append(_write(archive, site, person, pixels, pixel_mm, labels))
        if n == 0:
            case = _write(archive, site, person, pixels, pixel_mm, labels, is_negative=True)
            archive.cases.append(case)
        rows.append([person.patient_id, "|".join(labels), *(int(c in labels) for c in CLASSES)])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient_id", "labels", *CLASSES])
    writer.writerows(rows)
    archive.path(site.folder, "labels.csv").write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _expose(archive: Archive, person: Person, labels: tuple[str, ...]) -> tuple[NDArray[np.uint16], float]:
    """A radiograph of a patient who has what the labels say."""
    shape = (archive.matrix * 2, archive.matrix * 7 // 4)
    pixel_mm = round(ct.FIELD_MM / shape[1], 4)
    anatomy = phantom.patient(
        archive.stream("anatomy", person.number),
        lesions=int("nodule" in labels),
        steps_mm=(pixel_mm, pixel_mm, pixel_mm),
        coverage_mm=(ct.FIELD_MM, _DEPTH_MM, 120.0),
    )
    anatomy = individual(anatomy, archive.stream("build", person.number))
    if "effusion" in labels:
        anatomy = phantom.effusion(anatomy)
    if "cardiomegaly" in labels:
        anatomy = phantom.heart_size(anatomy, 1.45)
    stream = archive.stream("noise", "xray", person.number)
    return phantom.radiograph(anatomy, stream, spacing_mm=pixel_mm, shape=shape), pixel_mm


def _write(
    archive: Archive,
    site: TrueSite,
    person: Person,
    pixels: NDArray[np.uint16],
    pixel_mm: float,
    labels: tuple[str, ...],
    *,
    is_negative: bool = False,
) -> TrueCase:
    """Write one DX image for presentation (PS3.3 A.26, C.8.11); a negative is bright where air is."""
    number = 2 if is_negative else 1
    series = dicom.new_series(archive, person, "DX", number, "Chest PA", frame_uid="")
    if is_negative:
        person = replace(person, age=person.age + 1, study_date=_a_year_later(person))
        series = replace(series, person=person, study_uid=archive.uid("study", person.number, "again"))
    one = dicom.header(series)
    dicom.set_pixels(one, 4095 - pixels if is_negative else pixels, bits=12)
    more: dict[str, Any] = {
        "SOPInstanceUID": series.sop_uid(0),
        "InstanceNumber": 1,
        "ImageType": ["ORIGINAL", "PRIMARY", ""],
        "PhotometricInterpretation": "MONOCHROME1" if is_negative else "MONOCHROME2",
        "PresentationLUTShape": "INVERSE" if is_negative else "IDENTITY",
        "PresentationIntentType": "FOR PRESENTATION",
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": 1 if is_negative else -1,
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "US",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
        "ImageLaterality": "U",
        "PatientOrientation": ["L", "F"],
        "ImagerPixelSpacing": [dicom.decimal(pixel_mm)] * 2,
        "KVP": "125",
    }
    for keyword, value in more.items():
        setattr(one, keyword, value)
    name = f"{person.patient_id}_{number}.dcm"
    path = dicom.save(one, archive.path(site.folder, "images", name))
    return TrueCase(
        kind=site.kind, site=site.name, modality="DX", paths=archive.relative([path]),
        shape=(1, *pixels.shape), canonical_shape=(1, *pixels.shape), labels=labels,
        **ct.dicom_facts(series),
    )  # fmt: skip


def _a_year_later(person: Person) -> str:
    """A date that makes the person one year older."""
    return f"{int(person.study_date[:4]) + 1}{person.study_date[4:6]}28"
