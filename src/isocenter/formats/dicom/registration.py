"""Spatial registrations (PS3.3 A.39.1, C.20.2): how millimetres of one frame of reference come to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.dicom.file import read_header
from isocenter.formats.dicom.header import Header

SPATIAL = "1.2.840.10008.5.1.4.1.1.66.1"
_TYPES = {"RIGID", "RIGID_SCALE", "AFFINE"}
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# How far rows of a rotation may be from length one and right angles: matrices are written with few decimals.
_ORTHONORMAL = 1e-3
_SAME = 1e-6


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Registration:
    """One object: matrices into one frame of reference.

    Args:
        sop_instance_uid: The object.
        to_uid: The frame of reference that the object establishes, or registers to.
        matrices: UID of another frame -> (4, 4); takes its millimetres, RAS+, to those of `to_uid`.
    """

    sop_instance_uid: str
    to_uid: str
    matrices: dict[str, NDArray[np.float64]]


def read_registration(path: Path, *, expected: Signature | None = None) -> Registration:
    """Read a spatial registration object.

    Raises:
        FormatError: it is another object (a deformable registration cannot be applied), or says too little.
    """
    with parsing("the registration"):
        dataset, _ = read_header(path, expected=expected)
        return registration_of(Header(dataset))


def registration_of(header: Header) -> Registration:
    """What the header of a registration says; matrices are row-major and of LPS millimetres (C.20.2.1.1).

    Raises:
        FormatError: as of `read_registration`.
    """
    if header.text("SOPClassUID") != SPATIAL:
        raise FormatError("file/unsupported", "a registration that is no matrix (deformable, or fiducials)")
    to_uid = header.text("FrameOfReferenceUID")
    items = header.sequence("RegistrationSequence")
    if not to_uid or not items:
        raise FormatError(
            "file/corrupt", "a registration without its frame of reference, or without any item"
        )
    matrices: dict[str, NDArray[np.float64]] = {}
    for item in items:
        uid = item.text("FrameOfReferenceUID")
        if not uid:
            continue  # it names images alone: which frame is theirs, their own headers say
        if uid in matrices:
            raise FormatError("file/corrupt", "a registration registers one frame of reference twice")
        matrices[uid] = _matrix(item)
    if not matrices:
        raise FormatError("file/unsupported", "a registration that names no frame of reference of its images")
    return Registration(
        sop_instance_uid=header.text("SOPInstanceUID") or "", to_uid=to_uid, matrices=matrices
    )


def _matrix(item: Header) -> NDArray[np.float64]:
    """The one matrix of an item, in RAS+; several are one only if their order does not matter."""
    registrations = item.sequence("MatrixRegistrationSequence")
    steps = [one for found in registrations for one in found.sequence("MatrixSequence")]
    if len(registrations) != 1 or not steps:
        raise FormatError("file/corrupt", "a registration without a matrix, or with several")
    forth = back = np.eye(4)
    for step in steps:
        matrix = _read(step)
        forth, back = forth @ matrix, matrix @ back
    if not np.allclose(forth, back, rtol=0, atol=_SAME):
        raise FormatError("file/unsupported", "a registration of several matrices whose order matters")
    return np.asarray(_TO_RAS @ forth @ _TO_RAS, dtype=np.float64)


def _read(step: Header) -> NDArray[np.float64]:
    kind = step.text("FrameOfReferenceTransformationMatrixType")
    numbers = step.numbers("FrameOfReferenceTransformationMatrix", 16)
    if len(numbers) != 16 or not np.isfinite(numbers).all():
        raise FormatError("file/corrupt", "a registration matrix of other than 16 numbers")
    matrix = np.array(numbers, dtype=np.float64).reshape(4, 4)
    if kind not in _TYPES:
        raise FormatError("file/unsupported", "a registration matrix of no type that is known")
    if not np.allclose(matrix[3], [0, 0, 0, 1], rtol=0, atol=_SAME) or np.linalg.det(matrix[:3, :3]) <= 0:
        raise FormatError("file/corrupt", "a registration matrix that is no transformation, or mirrors")
    if kind == "RIGID" and np.abs(matrix[:3, :3] @ matrix[:3, :3].T - np.eye(3)).max() > _ORTHONORMAL:
        raise FormatError("file/corrupt", "a registration matrix that is said to be rigid and is not")
    return matrix
