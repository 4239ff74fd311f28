"""What real CTs come to when they are stored, and by JPEG-LS slice by slice: how much noise there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

import isocenter
from benchmarks.read.series import CHEST
from isocenter.stores import chunks

REAL = (
    CHEST,
    "seg_nrrd_ct/CTChest4.nrrd",
    "nifti_image_mask/example_ct_sm.nii.gz",
    "ct_j2k_series_plus_nifti_mask/example_ct_dicom",
)


def sizes(data: Path, chunk: tuple[int, int, int]) -> Iterator[tuple[str, tuple[int, ...], float, float]]:
    """Name and shape of each CT in a folder, and its stored and its JPEG-LS size over its int16 voxels."""
    for name in REAL:
        if not (data / name).exists():
            continue
        for volume in isocenter.read(data / name, modality="CT").volumes:
            values = np.asarray(volume.array)
            image = np.rint(values).astype(np.int16).reshape(-1, *values.shape[-2:])
            stored = sum(len(one.payload) for one in chunks.encoded(image, chunk))
            yield name, image.shape, stored / image.nbytes, _jpegls(image) / image.nbytes


def _jpegls(image: NDArray[np.int16]) -> int:
    plain = (image.astype(np.int32) - int(image.min())).astype(np.uint16)
    return sum(len(imagecodecs.jpegls_encode(one)) for one in plain)
