"""Rows of the index as a scanner would leave them, to be bent by each test."""

import sys
from dataclasses import replace

import numpy as np

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.rows import FileRow, Instance

NAMES = Pseudonyms(b"0123456789abcdef")
AXIAL = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def a_slice(number=0, **changes):
    """One axial CT slice in RAS+; `number` counts along the normal, 2.5 mm apart."""
    clean = Instance(
        file_id=f"fil-{number:04}",
        source=0,
        site="site-1",
        format="dicom",
        sop_instance_uid=f"1.2.{number}",
        series_uid="1.9",
        study_uid="1.8",
        frame_of_reference_uid="1.7",
        patient_id="P-17",
        modality="CT",
        rows=6,
        columns=5,
        photometric="MONOCHROME2",
        bits_allocated=16,
        pixel_spacing_mm=(0.7, 0.8),
        orientation=AXIAL,
        position_mm=(10.0, 20.0, 2.5 * number),
        slice_thickness_mm=2.5,
        instance_number=number,
    )
    return replace(clean, **changes)


def slices_along(
    orientation, *, count=5, step_mm=2.5, start=(3.0, -7.0, 11.0), shear=(0.0, 0.0, 0.0), **changes
):
    """Slices of any orientation, equally far apart along their normal plus a shear."""
    normal = np.cross(orientation[:3], orientation[3:])
    step = normal * step_mm + np.array(shear)
    return [
        a_slice(n, orientation=tuple(orientation), position_mm=tuple(np.array(start) + n * step), **changes)
        for n in range(count)
    ]


def file_of(row, **changes):
    """The row of the file that an instance was found in."""
    kind = "dicom-image" if row.format == "dicom" else row.format
    clean = FileRow(
        file_id=row.file_id, source=row.source, path=f"p/{row.file_id}", size=1, mtime_ns=1, kind=kind
    )
    return replace(clean, **changes)


def steps_of(work):
    """How many calls and turns of generators a piece of work takes: unlike seconds, the same every time."""
    count = 0

    def step(_frame, _event, _argument):
        nonlocal count
        count += 1

    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
