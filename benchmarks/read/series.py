"""The series that are read: a real chest CT, the same made longer by reflection, and compressed ones made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import encapsulate

import isocenter
from benchmarks.read.planes import Plane, list_planes

CHEST = "ct_chest_CPTAC-LSCC_C3N-00247"
LONG = 300
_COMPRESSED, _SMALL = 99, 4
# Codestreams of 12-bit values in 16 bits; imagecodecs makes them all but RLE, which pydicom makes.
ENCODERS: dict[str, tuple[str, Callable[[Any], Any] | None]] = {
    "RLE": (uid.RLELossless, None),
    "JPEG lossless (.70)": (uid.JPEGLosslessSV1, imagecodecs.ljpeg_encode),
    "JPEG-LS": (uid.JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG 2000 lossless": (
        uid.JPEG2000Lossless,
        partial(imagecodecs.jpeg2k_encode, level=0, reversible=True, codecformat="j2k"),
    ),
    "HTJ2K lossless": (uid.HTJ2KLossless, partial(imagecodecs.htj2k_encode, reversible=True)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Files of a series in a folder of their own, where the index of them is to be, and the list of their planes."""

    folder: Path
    workspace: Path
    planes: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series to be read, the first of its slices to warm up with, and the bytes of its volume as int16."""

    title: str
    shape: tuple[int, int, int]
    whole: Stored
    small: Stored
    is_compressed: bool

    @property
    def n_bytes(self) -> int:
        """Of the volume."""
        return 2 * self.shape[0] * self.shape[1] * self.shape[2]


def chest_in(data: Path) -> list[Any]:
    """The slices of the chest CT, in order."""
    found = [pydicom.dcmread(path) for path in sorted((data / CHEST).rglob("*.dcm"))]
    if not found:
        raise SystemExit(f"there is no {CHEST} below {data}")
    return sorted(found, key=_height)


def as_it_is(slices: Sequence[Any], place: Path) -> Series:
    """The real slices."""
    return _series(f"chest, {len(slices)} slices, real", slices, place / "real", is_compressed=False)


def reflected(slices: Sequence[Any], place: Path) -> Series:
    """More slices: up through the real ones, down again, and up, with new positions, numbers and UIDs."""
    n, (first, second) = len(slices), map(_height, slices[:2])
    series, out = pydicom.uid.generate_uid(entropy_srcs=["read", "long"]), []
    for k in range(LONG):
        one = deepcopy(slices[min(k % (2 * n), 2 * n - 1 - k % (2 * n))])
        height = first + k * (second - first)
        one.ImagePositionPatient = [*one.ImagePositionPatient[:2], f"{height:g}"]
        one.SliceLocation, one.InstanceNumber, one.SeriesInstanceUID = f"{height:g}", k + 1, series
        one.SOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=["read", str(k)])
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        out.append(one)
    title = (
        f"chest, {LONG} slices: the {n} real ones reflected in z, with new positions, numbers and SOP UIDs"
    )
    return _series(title, out, place / "reflected", is_compressed=False)


def compressed(name: str, slices: Sequence[Any], place: Path) -> Series:
    """The first slices, compressed here."""
    syntax, encode = ENCODERS[name]
    out = []
    for one in map(deepcopy, slices[:_COMPRESSED]):
        if encode is None:
            one.compress(syntax, generate_instance_uid=False)
        else:
            pixels = np.frombuffer(one.PixelData, "<u2").reshape(one.Rows, one.Columns)
            one.PixelData = encapsulate([bytes(encode(pixels))])
            one["PixelData"].VR, one["PixelData"].is_undefined_length = "OB", True
            one.file_meta.TransferSyntaxUID = uid.UID(syntax)
        out.append(one)
    title = f"chest, first {len(out)} slices, made {name} here"
    return _series(title, out, place / syntax, is_compressed=True)


def index(series: Series) -> None:
    """Index the files, for those cases that begin with an indexed stack."""
    for stored in (series.whole, series.small):
        isocenter.index(stored.folder, workspace=stored.workspace, jobs=1)


def _series(title: str, slices: Sequence[Any], place: Path, *, is_compressed: bool) -> Series:
    return Series(
        title=title,
        shape=(len(slices), slices[0].Rows, slices[0].Columns),
        whole=_store(slices, place / "whole"),
        small=_store(slices[:_SMALL], place / "small"),
        is_compressed=is_compressed,
    )


def _store(slices: Sequence[Any], place: Path) -> Stored:
    """Write the files, and list their planes."""
    folder, workspace = place / "files", place / "workspace"
    folder.mkdir(parents=True)
    for k, one in enumerate(slices):
        one.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)
    listed = list_planes(place / "planes.txt", [_plane(path) for path in sorted(folder.iterdir())])
    return Stored(folder=folder, workspace=workspace, planes=listed)


def _plane(path: Path) -> Plane:
    raw = pydicom.dcmread(path).get_item("PixelData")
    length = raw.length if raw.length != 0xFFFFFFFF else path.stat().st_size - raw.value_tell
    return str(path), raw.value_tell, length


def _height(one: Any) -> float:
    return float(one.ImagePositionPatient[2])
