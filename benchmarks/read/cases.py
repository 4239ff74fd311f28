"""What is measured: the limits, our own ways, and the peers, each in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index import peers
from benchmarks.index.children import Child
from benchmarks.read.series import Series

LISTS = Path(__file__).parent / "peers"
_QUICK, _COMPRESSED = 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What reading a series once took, and numbers of what was read (none: it was not looked at)."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to read, by so many passes at a time; a slow one is measured in every third round only.

    Compressed series are read on one core, unless the case is `spread`: what two processes cost is then the work they do,
    and not what the machine makes of two cores at once.
    """

    title: str
    command: Callable[[Series], Sequence[str]]
    passes: int = _QUICK
    is_peer: bool = False
    is_slow: bool = False
    on_native: bool = True
    on_compressed: bool = False
    is_spread: bool = False


def measure(case: Case, series: Series) -> Told:
    """Run one case once."""
    passes = min(case.passes, _COMPRESSED) if series.is_compressed else case.passes
    is_held = series.is_compressed and not case.is_spread
    with (
        _one_core() if is_held else nullcontext(),
        Child([*case.command(series), str(passes)]) as child,
    ):
        child.wait_until_ready()
        child.begin()
        printed = child.answer()
        child.end()
    told = json.loads(printed.splitlines()[-1])
    return Told(
        cpu_seconds=told["cpu"],
        wall_seconds=told["wall"],
        peak_bytes=told["peak"],
        values=tuple(told["values"]),
    )


@contextmanager
def _one_core() -> Iterator[None]:
    """Hold what is started meanwhile, with all that it starts, on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _limit(way: str) -> Callable[[Series], Sequence[str]]:
    command = [sys.executable, "-m", "benchmarks.read.limits", way]
    return lambda series: [*command, str(series.whole.planes), str(series.small.planes)]


def _ours(way: str) -> Callable[[Series], Sequence[str]]:
    def command(series: Series) -> Sequence[str]:
        each = (path for s in (series.whole, series.small) for path in (s.folder, s.workspace))
        return [sys.executable, "-m", "benchmarks.read.ours", way, *map(str, each)]

    return command


def _other(way: str, environment: str) -> Callable[[Series], Sequence[str]]:
    def command(series: Series) -> Sequence[str]:
        python = peers.interpreter(environment, LISTS)
        folders = (str(s.folder) for s in (series.whole, series.small))
        return [python, "-m", "benchmarks.read.others", way, *folders]

    return command


def _dcm2niix(series: Series) -> Sequence[str]:
    way, folders = f"dcm2niix:{peers.dcm2niix()}", (str(s.folder) for s in (series.whole, series.small))
    return [sys.executable, "-m", "benchmarks.read.others", way, *folders]


CASES: dict[str, Case] = {
    "reused": Case("limit: pread into one reused buffer", _limit("reused")),
    "new": Case("limit: pread into a new volume", _limit("new")),
    "decode": Case(
        "limit: bare decoder on the fragments", _limit("decode"), on_native=False, on_compressed=True
    ),
    "stack": Case("isocenter reader, indexed stack", _ours("stack"), on_compressed=True),
    "checked": Case("the same, all checks included", _ours("checked"), on_compressed=True),
    "spread": Case(
        "the same, on all cores", _ours("checked"), on_native=False, on_compressed=True, is_spread=True
    ),
    "whole": Case("isocenter.read of the folder", _ours("whole"), passes=1),
    "simpleitk": Case(
        "SimpleITK, names known", _other("simpleitk", "simpleitk"), passes=1, is_peer=True, on_compressed=True
    ),
    "simpleitk-folder": Case(
        "SimpleITK, names found by GDCM", _other("simpleitk-folder", "simpleitk"), passes=1, is_peer=True
    ),
    "pydicom": Case("pydicom, sorted, rescaled", _other("pydicom", "pydicom-numpy"), passes=1, is_peer=True),
    "dcm2niix": Case("dcm2niix, with its start", _dcm2niix, passes=1, is_peer=True),
    "dicom2nifti": Case(
        "dicom2nifti", _other("dicom2nifti", "dicom2nifti"), passes=1, is_peer=True, is_slow=True
    ),
    "torchio": Case(
        "TorchIO ScalarImage", _other("torchio", "torchio"), passes=1, is_peer=True, is_slow=True
    ),
    "monai": Case(
        "MONAI LoadImage, PydicomReader", _other("monai", "monai"), passes=1, is_peer=True, is_slow=True
    ),
    "monai-itk": Case(
        "MONAI LoadImage, ITKReader", _other("monai-itk", "monai"), passes=1, is_peer=True, is_slow=True
    ),
}
