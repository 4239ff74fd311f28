"""The peers that make masks of contours, each in an environment of its own and used as favourably as we know how.

Usage, by the interpreter of the peer: python -m benchmarks.contours.others WAY FOLDER SMALL-FOLDER PASSES
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.contours.judged import STRUCTURES, judge
from benchmarks.read.timing import serve


def main() -> None:
    """Measure one peer."""
    way, folder, small, passes = sys.argv[1:]
    make = WAYS[way]
    serve(make(Path(folder)), make(Path(small)), int(passes), lambda out: judge(out, Path(folder)))


def _builder(folder: Path) -> Any:
    make: Any = import_module("rt_utils").RTStructBuilder.create_from
    return make(dicom_series_path=str(folder / "images"), rt_struct_path=str(folder / STRUCTURES))


def _masks_of(builder: Any) -> dict[str, Any]:
    named = {name: builder.get_roi_mask_by_name(name) for name in builder.get_roi_names()}
    return {name: mask.transpose(2, 0, 1) for name, mask in named.items()}


def rt_utils(folder: Path) -> Callable[[], Any]:
    """`create_from` and `get_roi_mask_by_name` of every structure."""
    return lambda: _masks_of(_builder(folder))


def rt_utils_masks(folder: Path) -> Callable[[], Any]:
    """`get_roi_mask_by_name` of every structure, the files read and the contours parsed before."""
    builder = _builder(folder)
    _masks_of(builder)
    return lambda: _masks_of(builder)


def _dcmrtstruct2nii() -> None:
    """Give back what pydicom 3 has removed and it needs; keep its request to be cited off the standard output."""
    pydicom: Any = import_module("pydicom")
    pydicom.read_file = pydicom.dcmread
    with contextlib.redirect_stdout(io.StringIO()):
        import_module("dcmrtstruct2nii")


def dcmrtstruct2nii(folder: Path) -> Callable[[], Any]:
    """Its function, which writes every mask; neither compressed nor with the image."""
    _dcmrtstruct2nii()
    convert: Any = import_module("dcmrtstruct2nii").dcmrtstruct2nii
    sitk: Any = import_module("SimpleITK")

    def run() -> Any:
        with tempfile.TemporaryDirectory() as into:
            images, structures = str(folder / "images"), str(folder / STRUCTURES)
            convert(structures, images, into, gzip=False, convert_original_dicom=False)
            return _Written(
                sitk, {p.name[5:-4]: p.read_bytes() for p in sorted(Path(into).glob("mask_*.nii"))}
            )

    return run


class _Written:
    """Masks as files in memory, which are opened to be judged and not to be measured."""

    def __init__(self, sitk: Any, files: dict[str, bytes]) -> None:
        self._sitk, self._files = sitk, files

    def items(self) -> Any:
        for name, data in self._files.items():
            with tempfile.NamedTemporaryFile(suffix=".nii") as file:
                file.write(data)
                file.flush()
                yield name, self._sitk.GetArrayFromImage(self._sitk.ReadImage(file.name)) > 0


def dcmrtstruct2nii_masks(folder: Path) -> Callable[[], Any]:
    """Its conversion of every structure, the files read before."""
    _dcmrtstruct2nii()
    inner = "dcmrtstruct2nii.adapters"
    reader: Any = import_module(f"{inner}.input.contours.rtstructinputadapter").RtStructInputAdapter()
    images: Any = import_module(f"{inner}.input.image.dcminputadapter").DcmInputAdapter()
    converter: Any = import_module(f"{inner}.convert.rtstructcontour2mask").DcmPatientCoords2Mask()
    sitk: Any = import_module("SimpleITK")
    structures = reader.ingest(str(folder / STRUCTURES))
    image = images.ingest(str(folder / "images"))

    def run() -> Any:
        made = {s["name"]: converter.convert(s["sequence"], image, 0, 1) for s in structures}
        return {name: sitk.GetArrayViewFromImage(mask) > 0 for name, mask in made.items()}

    return run


WAYS: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "rt-utils": rt_utils,
    "rt-utils-masks": rt_utils_masks,
    "dcmrtstruct2nii": dcmrtstruct2nii,
    "dcmrtstruct2nii-masks": dcmrtstruct2nii_masks,
}

if __name__ == "__main__":
    main()
