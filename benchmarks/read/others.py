"""The peers, each in a process and an environment of its own; every one is used as favourably as we know how.

Usage, by the interpreter of the peer: python -m benchmarks.read.others PEER FOLDER SMALL-FOLDER PASSES
       by any interpreter: python -m benchmarks.read.others dcm2niix:PROGRAM FOLDER SMALL-FOLDER PASSES
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.read.timing import serve

# By name, since the type checker's environment is not the peer's, and each has another.
Reader = Callable[[], Any]


def main() -> None:
    """Measure one peer."""
    peer, folder, small, passes = sys.argv[1:]
    name, _, program = peer.partition(":")
    make = WAYS[name]
    read, warm_up = (make(Path(f), program) if program else make(Path(f)) for f in (folder, small))
    serve(read, warm_up, int(passes), _nothing if program else _values)


def simpleitk(folder: Path) -> Reader:
    """Its series reader, given the file names in order, as our stack is."""
    sitk: Any = import_module("SimpleITK")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    return lambda: _simpleitk(sitk, names)


def simpleitk_folder(folder: Path) -> Reader:
    """The same, the files of the folder sorted by GDCM each time."""
    sitk: Any = import_module("SimpleITK")
    return lambda: _simpleitk(sitk, sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


def _simpleitk(sitk: Any, names: Any) -> Any:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    reader.SetNumberOfWorkUnits(1)
    return reader.Execute()


def pydicom(folder: Path) -> Reader:
    """Read, sorted by position, rescaled in float32, int16."""
    library: Any = import_module("pydicom")
    np: Any = import_module("numpy")
    paths = sorted(folder.iterdir())

    def read() -> Any:
        found = [library.dcmread(path) for path in paths]
        found.sort(key=lambda one: float(one.ImagePositionPatient[2]))
        volume = np.empty((len(found), found[0].Rows, found[0].Columns), np.int16)
        for k, one in enumerate(found):
            slope, intercept = np.float32(one.RescaleSlope), np.float32(one.RescaleIntercept)
            volume[k] = one.pixel_array * slope + intercept
        return volume

    return read


def dcm2niix(folder: Path, program: str) -> Reader:
    """The program, which writes a volume without compression, and no sidecar."""

    def read() -> None:
        with tempfile.TemporaryDirectory() as into:
            command = [program, "-z", "n", "-b", "n", "-o", into, "-f", "one", str(folder)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - a pinned program
            if len(list(Path(into).glob("*.nii"))) != 1:
                raise SystemExit("there is not one volume")

    return read


def dicom2nifti(folder: Path) -> Reader:
    """Written without compression, orientation as it is."""
    convert: Any = import_module("dicom2nifti.convert_dicom")

    def read() -> Any:
        with tempfile.TemporaryDirectory() as into:
            found = convert.dicom_series_to_nifti(str(folder), f"{into}/one.nii", reorient_nifti=False)
            return found["NII"]

    return read


def monai(folder: Path, reader: str = "PydicomReader") -> Reader:
    """`LoadImage` on the folder."""
    transforms: Any = import_module("monai.transforms")
    load = transforms.LoadImage(reader=reader, image_only=True)
    return lambda: load(str(folder))


def monai_itk(folder: Path) -> Reader:
    """The same with ITK."""
    return monai(folder, "ITKReader")


def torchio(folder: Path) -> Reader:
    """`ScalarImage` on the folder, loaded."""
    library: Any = import_module("torchio")
    return lambda: library.ScalarImage(folder).data


def _values(read: Any) -> list[int]:
    np: Any = import_module("numpy")
    if hasattr(read, "GetPixelIDTypeAsString"):
        read = import_module("SimpleITK").GetArrayViewFromImage(read)
    elif hasattr(read, "get_fdata"):
        read = read.get_fdata()
    wide = np.asarray(read).astype(np.int64)
    return [int(wide.size), int(wide.sum()), int((wide * wide).sum())]


def _nothing(_: Any) -> list[int]:
    return []


WAYS: dict[str, Callable[..., Reader]] = {
    "simpleitk": simpleitk,
    "simpleitk-folder": simpleitk_folder,
    "pydicom": pydicom,
    "dcm2niix": dcm2niix,
    "dicom2nifti": dicom2nifti,
    "monai": monai,
    "monai-itk": monai_itk,
    "torchio": torchio,
}

if __name__ == "__main__":
    main()
