"""What was measured, as tables, and which of the required and aimed-at factors hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.read.cases import Told
from benchmarks.read.results import median
from benchmarks.resample.cases import Case
from benchmarks.resample.volumes import Volume

Results = Mapping[str, Sequence[Told]]


@dataclass(frozen=True, slots=True)
class Line:
    """How many times the CPU time of ours another case takes at least, or the limit at most."""

    word: str
    ours: str
    peer: str
    factor: float
    is_limit: bool = False


LINES = (
    Line("required", "isocenter-linear", "simpleitk-linear", 10),
    Line("aim", "isocenter-linear", "simpleitk-linear", 12),
    Line("required", "isocenter-linear", "skimage-linear", 15),
    Line("aim", "isocenter-linear", "skimage-linear", 18),
    Line("required", "isocenter-linear", "torch-linear", 3),
    Line("aim", "isocenter-linear", "torch-linear", 4),
    Line("required", "isocenter-linear", "limit", 6, is_limit=True),
    Line("aim", "isocenter-linear", "limit", 4.5, is_limit=True),
    Line("required", "isocenter-cubic", "scipy-cubic", 10),
    Line("aim", "isocenter-cubic", "scipy-cubic", 16),
    Line("required", "isocenter-cubic", "simpleitk-cubic", 10),
    Line("aim", "isocenter-cubic", "simpleitk-cubic", 16),
    Line("required", "isocenter-labels", "nnunet-labels", 40),
)


def print_results(volume: Volume, cases: Mapping[str, Case], results: Results) -> None:
    """Print a row for each case that ran, and the lines."""
    rows = {name: median(runs) for name, runs in results.items() if runs}
    before, after = volume.n_bytes
    print(
        f"\n{volume.title}: {volume.shape} to {volume.target}, {before / 1e6:.0f} to {after / 1e6:.0f} MB as int16"
    )
    is_image = "limit" in cases
    told = "max and rms HU off float64" if is_image else "voxels other than nnU-Net's (of these, unclear)"
    print(f"medians; 'x ours' by CPU time, with two threads by wall time; last: {told}\n")
    print(f"{'':<44}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'x ours':>8}{'peak MB':>9}{'/ target':>10}")
    for name, row in rows.items():
        ours = rows.get(_ours_of(name, cases[name]))
        times = "" if ours is None else f"{_ratio(row, ours, cases[name].threads):.2f}"
        print(
            f"{cases[name].title:<44}{len(results[name]):>5}{row.cpu_seconds * 1e3:>10.1f}"
            f"{row.wall_seconds * 1e3:>10.1f}{times:>8}{row.peak_bytes / 1e6:>9.0f}"
            f"{row.peak_bytes / after:>10.2f}  {_accuracy(row, is_image=is_image)}"
        )
    print()
    for line in LINES:
        if line.ours in rows and line.peer in rows:
            print_line(line, cases, rows[line.ours].cpu_seconds, rows[line.peer].cpu_seconds)


def print_line(line: Line, cases: Mapping[str, Case], ours: float, peer: float) -> None:
    """Print one factor, and whether it holds."""
    ratio = ours / peer if line.is_limit else peer / ours
    holds = ratio <= line.factor if line.is_limit else ratio >= line.factor
    what = f"{cases[line.ours].title}, {'over' if line.is_limit else 'against'} {cases[line.peer].title}"
    bound = f"{'at most' if line.is_limit else 'at least'} {line.factor:g}x"
    print(f"{line.word:<9}{what:<78}{ratio:>8.2f}x  {bound:<16}{'holds' if holds else 'DOES NOT HOLD'}")


def _ratio(row: Told, ours: Told, threads: int) -> float:
    return row.cpu_seconds / ours.cpu_seconds if threads == 1 else row.wall_seconds / ours.wall_seconds


def _ours_of(name: str, case: Case) -> str:
    kind = "linear" if name == "limit" else name.removesuffix("-2").rpartition("-")[2]
    return f"isocenter-{kind}{'-2' if case.threads > 1 else ''}"


def _accuracy(row: Told, *, is_image: bool) -> str:
    if not row.values:
        return ""
    most, other = row.values
    return f"{most / 1e6:.4f}  {other / 1e6:.4f}" if is_image else f"{most} ({other})"
