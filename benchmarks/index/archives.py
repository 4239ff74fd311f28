"""The files that are measured on: real ones, gathered, and simulated ones, made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index import make, peers
from benchmarks.index.children import run_whole

_IN_A_FOLDER = 200
_FEW = 256
_MAGIC = slice(128, 132)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A folder of files, and lists of their paths, one per line.

    `halves` are two lists that share the files out; `borne` is the folder of those that med-imagetools
    can index.
    """

    title: str
    folder: Path
    listed: Path
    halves: tuple[Path, Path]
    files: int
    borne: Path
    files_borne: int


def real(source: Path, place: Path) -> Archive:
    """Every DICOM file below a folder, by its magic word, copied once, under names that tell nothing."""
    folder = place / "real"
    found = (p for p in sorted(source.rglob("*")) if p.is_file() and not p.is_symlink() and _is_dicom(p))
    for number, path in enumerate(found):
        into = folder / f"{number // _IN_A_FOLDER:04d}"
        into.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, into / f"{number:06d}.dcm")
    if not folder.exists():
        raise SystemExit(f"there is no DICOM file below {source}")
    archive = _archive("real", folder, place)
    borne = place / "real-borne"
    command = [peers.interpreter("med-imagetools"), "-m", "benchmarks.index.bearable", str(archive.listed)]
    printed = run_whole(command)[1].splitlines()
    for path in map(Path, printed):
        into = borne / path.parent.name
        into.mkdir(parents=True, exist_ok=True)
        os.link(path, into / path.name)
    return _archive("real", folder, place, borne, len(printed))


def simulated(files: int, place: Path) -> Archive:
    """Simulated slices."""
    folder = place / "simulated"
    make.make(folder, files)
    return _archive("simulated", folder, place)


def few_of(archive: Archive, place: Path) -> Archive:
    """Copies of a few files of an archive, evenly chosen: everything is warmed up with them."""
    paths = archive.listed.read_text().splitlines()
    folder = place / f"{archive.title}-few"
    folder.mkdir()
    for number, path in enumerate(paths[:: max(1, len(paths) // _FEW)]):
        shutil.copyfile(path, folder / f"{number:06d}.dcm")
    return _archive(f"{archive.title}-few", folder, place)


def _archive(
    title: str, folder: Path, place: Path, borne: Path | None = None, files_borne: int = 0
) -> Archive:
    paths = paths_in(folder)
    return Archive(
        title=title,
        folder=folder,
        listed=_list(place / f"{title}.txt", paths),
        halves=(
            _list(place / f"{title}-1.txt", paths[::2]),
            _list(place / f"{title}-2.txt", paths[1::2]),
        ),
        files=len(paths),
        borne=borne or folder,
        files_borne=files_borne or len(paths),
    )


def paths_in(folder: Path) -> list[str]:
    """All files below a folder, in order."""
    found = (os.path.join(base, name) for base, _, names in os.walk(folder) for name in names)  # noqa: PTH118 - a million of them
    return sorted(found)


def _list(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines))
    return path


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[_MAGIC] == b"DICM"


def remember(archive: Archive) -> None:
    """Read all files once: some machines take back what has not been touched for some seconds, and tell nobody."""
    into = memoryview(bytearray(1 << 20))
    for path in archive.listed.read_text().splitlines():
        handle = os.open(path, os.O_RDONLY)
        while os.readv(handle, [into]):
            pass
        os.close(handle)


def forget(archive: Archive) -> None:
    """Take the content of the files out of the memory of the system, file by file; folders stay in it."""
    for path in archive.listed.read_text().splitlines():
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
