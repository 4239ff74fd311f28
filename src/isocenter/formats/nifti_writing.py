"""Writes a volume as one compressed NIfTI-1 file, whole or not at all; the same voxels make the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from isocenter.base.files import write_bytes
from isocenter.model.exchange import EXCHANGES
from isocenter.model.grid import Grid

ENDING = ".nii.gz"
# Of CT, more effort makes a file no smaller and takes more time.
_EFFORT = 1
# NIfTI-1: 348 bytes of header, and four that say that no extension follows.
_START = 352


def write_nifti(path: Path, array: NDArray[Any], grid: Grid) -> None:
    """Write one volume (K, J, I) on its grid; the header is that of `Volume.to_nibabel`.

    Args:
        path: The file; its folder must exist.
        array: The values; their type is kept.
        grid: Where they are.
    """
    dtype = array.dtype.newbyteorder("=")
    whole = np.empty(_START + array.size * dtype.itemsize, np.uint8)
    whole[_START:].view(dtype).reshape(array.shape)[...] = array
    # Only the header is taken of the image, which therefore may have voxels that take no memory.
    header = EXCHANGES.get("nibabel").image(np.broadcast_to(np.zeros((), dtype), array.shape), grid).header
    header["magic"], header["vox_offset"] = b"n+1", _START
    header["scl_slope"], header["scl_inter"] = 1, 0
    whole[:_START] = np.frombuffer(header.binaryblock + bytes(_START - len(header.binaryblock)), np.uint8)
    write_bytes(path, bytes(imagecodecs.gzip_encode(cast("bytes", whole), level=_EFFORT)))
