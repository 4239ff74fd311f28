"""NIfTI and NRRD files, written with nibabel and pynrrd, without a date in them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
from numpy.typing import NDArray

from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.lattice import Lattice
from isocenter.testing.simulate.people import Person


def write_nifti(
    path: Path,
    array: NDArray[Any],
    lattice: Lattice,
    *,
    codes: tuple[int, int] = (1, 1),
    intercept: int = 0,
    notes: tuple[str, str] = ("", ""),
    qform_offset_mm: float = 0.0,
) -> Path:
    """Write one `.nii.gz`.

    Args:
        path: Where.
        array: (K, J, I) stored values.
        lattice: Where they are.
        codes: qform_code and sform_code; 0 leaves the form out.
        intercept: scl_inter, with a slope of 1; 0 leaves scaling out.
        notes: descrip (80 bytes) and aux_file (24 bytes) of the header.
        qform_offset_mm: How far along x the qform contradicts the sform.
    """
    affine = lattice.affine_ras()
    image = nibabel.Nifti1Image(np.ascontiguousarray(array.transpose(2, 1, 0)), None)
    head = image.header
    head.set_xyzt_units("mm", "sec")
    head.set_zooms(lattice.spacing_mm[::-1])
    shifted = affine.copy()
    shifted[0, 3] += qform_offset_mm
    # nibabel keeps the codes at 0 only where no matrix is given.
    head.set_qform(shifted if codes[0] else None, codes[0])
    head.set_sform(affine if codes[1] else None, codes[1])
    if intercept:
        head.set_slope_inter(1, intercept)
    head["descrip"], head["aux_file"] = notes[0].encode()[:79], notes[1].encode()[:23]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(_nifti_bytes(image, array, intercept), compresslevel=1, mtime=0))
    return path


def _nifti_bytes(image: Any, array: NDArray[Any], intercept: int) -> bytes:
    """Header and stored values as they are: nibabel would rescale them when it saves."""
    head = image.header.copy()
    head["vox_offset"] = 352
    head["scl_slope"], head["scl_inter"] = (1, intercept) if intercept else (0, 0)
    head["magic"] = b"n+1"
    pixels = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return bytes(head.binaryblock) + b"\0" * 4 + pixels.tobytes()


def write_nrrd(path: Path, array: NDArray[Any], lattice: Lattice, notes: dict[str, str]) -> Path:
    """Write one `.nrrd` as 3D Slicer does: gzip, LPS, spacing inside the directions.

    Args:
        path: Where.
        array: (K, J, I) stored values.
        lattice: Where they are.
        notes: Key/value pairs of the header.
    """
    head: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": lattice.steps.T,
        "space origin": lattice.origin,
        "kinds": ["domain", "domain", "domain"],
        "encoding": "gzip",
    }
    buffer = io.BytesIO()
    nrrd.write(buffer, array, head, index_order="C", compression_level=1)
    front, _, pixels = buffer.getvalue().partition(b"\n\n")
    # pynrrd writes the time of day into a comment.
    lines = [line for line in front.split(b"\n") if not line.startswith(b"#")]
    # pynrrd writes ASCII only; other programs write names as they are.
    lines += [f"{key}:={value}".encode() for key, value in notes.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(lines) + b"\n\n" + pixels)
    return path


def nifti_notes(archive: Archive, person: Person) -> tuple[str, str]:
    """A converter's careless notes: name and ID of the patient; nothing where identifiers were removed."""
    if not person.name:
        return ("", "")
    archive.plant("patient-id", person.patient_id)
    archive.plant("patient-name", person.name, person.family, person.given)
    return (person.name, person.patient_id)


def nrrd_notes(archive: Archive, person: Person) -> dict[str, str]:
    """Key/value pairs with name, ID and date of birth; none where identifiers were removed."""
    if not person.name:
        return {}
    born = f"{person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}"
    archive.plant_person(person)
    archive.plant("birth-date", born)
    return {
        "patient_name": person.name,
        "patient_id": person.patient_id,
        "patient_other_id": person.other_id,
        "patient_birth_date": born,
        "patient_birth_date_dicom": person.birth_date,
    }
