"""Measures reading patches from a store against reading them from raw files, on a simulated archive.

Every way reads the same patches of the same cases, in turn, within one run; what is printed are ratios to the
store, so that the machine and its load matter little. The floor is a copy of the patch out of memory. Each way
runs in a process of its own for the peak of its memory, above that of a process that only imports.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray

import isocenter as iso
from isocenter.base import seeds
from isocenter.testing.simulate import simulate

PATIENTS, MATRIX, SLICES = 6, 320, 96
PATCH = (32, 64, 64)
ROUNDS, PATCHES = 7, 8
CONFIG = """\
task: segmentation
sources: [{path: archive/site-a}]
channels: {ct: {modality: CT}}
labels: {lesion: {value: 1, aliases: ["*"]}}
annotations: [{kind: objects}]
"""

Image = NDArray[Any]
Reader = Callable[[Path], Any]


def main() -> None:
    """Make the archive and the store, measure all ways, print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        seconds = time_all(folder)
        megabytes = {way: peak_of(folder, way) for way in WAYS}
        sizes = {way: size_of(folder, way) for way in WAYS}
    store, base = seconds["store"], megabytes.pop("floor")
    volume = MATRIX * MATRIX * SLICES * 2 / 1e6
    print(f"patches {PATCH} of {PATIENTS} volumes of {volume:.0f} MB, CPU time, median of {ROUNDS} rounds\n")
    print(f"{'way':<28}{'ms per patch':>13}{'x store':>9}{'peak MB':>9}{'size / raw':>12}")
    for way, (title, _) in WAYS.items():
        peak = f"{megabytes[way] - base:9.0f}" if way in megabytes else f"{'':9}"
        size = f"{sizes[way]:12.2f}" if sizes[way] else f"{'':12}"
        print(f"{title:<28}{seconds[way] * 1e3:13.2f}{seconds[way] / store:9.2f}{peak}{size}")


def make(folder: Path) -> None:
    """A simulated archive, its store, and the same images as files of other kinds."""
    simulate(
        folder / "archive", patients=PATIENTS, sites=1, matrix=MATRIX, slices=SLICES, faults=False,
        kinds=("ct-rtstruct",),
    )  # fmt: skip
    (folder / "cohort.yaml").write_text(CONFIG)
    run = iso.run(folder / "cohort.yaml")
    if run.store is None:
        sys.exit(f"no store was made: {run.gate}")
    store = iso.open(run.store)
    for case_id in store:
        array = np.asarray(store[case_id].image[0])
        np.save(folder / f"{case_id}.npy", array)
        nibabel.save(nibabel.Nifti1Image(array.T, np.eye(4)), folder / f"{case_id}.nii.gz")


def time_all(folder: Path) -> dict[str, float]:
    """CPU seconds per patch of every way, the ways taking turns."""
    readers = {way: read(folder) for way, (_, read) in WAYS.items()}
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(ROUNDS + 1):
        for way, reader in readers.items():
            start = time.process_time()
            draw(folder, number, reader)
            if number:  # the first round opens files and fills caches
                taken[way].append((time.process_time() - start) / PATCHES)
    return {way: statistics.median(each) for way, each in taken.items()}


def draw(folder: Path, number: int, reader: Reader) -> None:
    """Read the patches of one round."""
    cases = sorted(folder.glob("*.npy"))
    random = seeds.stream(0, "bench", number)
    for _ in range(PATCHES):
        image = reader(cases[random.integers(len(cases))])
        corner = [int(random.integers(n - p + 1)) for n, p in zip(image.shape[-3:], PATCH, strict=True)]
        where = tuple(slice(c, c + p) for c, p in zip(corner, PATCH, strict=True))
        patch = image[where] if image.ndim == 3 else image[(0, *where)]
        if np.ascontiguousarray(patch).shape != PATCH:
            sys.exit("a patch has another shape than was asked for")


def peak_of(folder: Path, way: str) -> float:
    """Peak of a process's memory in MB while it reads the patches of some rounds; "floor" only imports."""
    command = [sys.executable, __file__, way, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return float(done.stdout) / 1e3


def measure(way: str, folder: Path) -> None:
    """What the child process does."""
    if way != "floor":
        reader = WAYS[way][1](folder)
        for number in range(3):
            draw(folder, number, reader)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def size_of(folder: Path, way: str) -> float:
    """Bytes on disk over the bytes of the voxels; 0 where it is no file."""
    patterns = {"store": "work/store/shards/*", "npy": "*.npy", "nifti": "*.nii.gz"}
    if way not in patterns:
        return 0.0
    raw = sum(int(np.load(p, mmap_mode="r").nbytes) for p in folder.glob("*.npy"))
    return float(sum(p.stat().st_size for p in folder.glob(patterns[way])) / raw)


def from_memory(folder: Path) -> Reader:
    """Whole volumes held in memory: the floor."""
    held = {p: np.load(p) for p in sorted(folder.glob("*.npy"))}
    return lambda case: held[case]


def from_store(folder: Path) -> Reader:
    """The packed store: only the chunks that a patch touches are read."""
    store = iso.open(folder / "work" / "store")
    return lambda case: store[case.stem].image


def from_npy(_folder: Path) -> Reader:
    """Uncompressed arrays, mapped into memory."""
    return lambda case: np.load(case, mmap_mode="r")


def from_nifti(_folder: Path) -> Reader:
    """Compressed NIfTI files, as most data sets are kept."""
    return lambda case: np.asanyarray(nibabel.load(case.with_suffix(".nii.gz")).dataobj).T


def from_dicom(folder: Path) -> Reader:
    """The DICOM series themselves."""
    cases = sorted(folder.glob("*.npy"))
    series = sorted(
        {p.parent for p in (folder / "archive").rglob("*") if p.is_file() and p.parent.name == "CT"}
    )

    def read(case: Path) -> Image:
        slices = [pydicom.dcmread(p) for p in sorted(series[cases.index(case) % len(series)].iterdir())]
        slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
        return np.stack([s.pixel_array for s in slices])

    return read


WAYS: dict[str, tuple[str, Callable[[Path], Reader]]] = {
    "floor": ("floor: copied from memory", from_memory),
    "store": ("isocenter store", from_store),
    "npy": (".npy, mapped", from_npy),
    "nifti": (".nii.gz, nibabel", from_nifti),
    "dicom": ("DICOM series, pydicom", from_dicom),
}

if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
