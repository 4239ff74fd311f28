"""What was measured, as a table, and which of the required and aimed-at factors hold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.index.cases import CASES, Bench, less_start, start_of
from benchmarks.index.children import Usage

Results = Mapping[str, Sequence[Usage]]


@dataclass(frozen=True, slots=True)
class Line:
    """A factor that is asked for: ours must be so many times as fast as the peer (or as the limit, below 1)."""

    word: str
    ours: str
    peer: str
    factor: float


LINES = (
    Line("required", "headers", "pydicom", 15),
    Line("required", "headers", "dcm2niix-b", 4),
    Line("required", "index-net", "imgtools-net", 50),
    Line("aim", "headers", "pydicom", 30),
    Line("aim", "headers", "dcm2niix-b", 5),
    Line("aim", "headers", "dcm2niix-q", 5),
    Line("aim", "headers", "pread", 1 / 3.5),
    Line("aim", "index-net", "pydicom", 10),
)
TITLES = {name: case.title for name, case in CASES.items()} | {
    less_start(name): case.title.replace("with its start", "less its start")
    for name, case in CASES.items()
    if start_of(name) in CASES
}


def print_table(bench: Bench, results: Results, *, is_cold: bool) -> None:
    """Print a row for each case, the times against our header reader, and the lines."""
    rows = medians(results)
    archive = bench.archive
    seconds = {n: seconds_per_file(bench, n, u, is_cold=is_cold) for n, u in rows.items()}
    unit = "wall time, content not in memory" if is_cold else "CPU time of all processes"
    print(f"\n{archive.title}: {archive.files} files, {unit}, medians\n")
    head = f"{'':<45}{'runs':>5}{'us/file':>10}{'files/s':>10}{'x headers':>11}{'x pread':>9}{'wall f/s':>10}"
    print(head + f"{'read MB':>9}  others")
    for name, usage in rows.items():
        mine = seconds[name]
        files = files_of(bench, name)
        print(
            f"{TITLES[name]:<45}{len(results.get(name, ())):>5}{mine * 1e6:>10.1f}{1 / mine:>10,.0f}"
            f"{mine / seconds['headers']:>11.2f}{mine / seconds['pread']:>9.1f}"
            f"{files / usage.wall_seconds:>10,.0f}{usage.disk_bytes / 1e6:>9.0f}  {remark(name, usage)}"
        )
    print()
    for line in (one for one in LINES if one.ours in seconds and one.peer in seconds):
        print_line(
            line.word,
            f"{TITLES[line.ours]} to {TITLES[line.peer]}",
            seconds[line.peer] / seconds[line.ours],
            None if is_cold else line.factor,
        )


def print_line(word: str, what: str, factor: float, wanted: float | None) -> None:
    """Print one factor, and whether it is as it should be, where that is asked for."""
    if wanted is None:
        print(f"{'cold':<9}{what:<88}{factor:>8.2f}x")
    else:
        holds = "holds" if factor >= wanted else "DOES NOT HOLD"
        print(f"{word:<9}{what:<88}{factor:>8.2f}x  of {wanted:.2f}x  {holds}")


def medians(results: Results) -> dict[str, Usage]:
    """The median run of each case that ran; a case whose start is known also without it."""
    rows = {name: _median(runs) for name, runs in results.items() if runs}
    for name in [name for name in rows if start_of(name) in rows]:
        whole, start = rows[name], rows.pop(start_of(name))
        rows[less_start(name)] = replace(
            whole,
            cpu_seconds=whole.cpu_seconds - start.cpu_seconds,
            wall_seconds=whole.wall_seconds - start.wall_seconds,
        )
    return rows


def _median(runs: Sequence[Usage]) -> Usage:
    return Usage(
        cpu_seconds=statistics.median(r.cpu_seconds for r in runs),
        wall_seconds=statistics.median(r.wall_seconds for r in runs),
        left_out=runs[0].left_out,
        disk_bytes=int(statistics.median(r.disk_bytes for r in runs)),
    )


def files_of(bench: Bench, name: str) -> int:
    """How many files the case went over."""
    return bench.archive.files_borne if name.startswith("imgtools") else bench.archive.files


def seconds_per_file(bench: Bench, name: str, usage: Usage, *, is_cold: bool) -> float:
    """What one file takes."""
    return (usage.wall_seconds if is_cold else usage.cpu_seconds) / files_of(bench, name)


def remark(name: str, usage: Usage) -> str:
    """What became of the files that were not read as the others."""
    if not usage.left_out:
        return ""
    if name == "headers":
        return f"{usage.left_out} by pydicom"
    if name == "known":
        return f"{usage.left_out} left out"
    if name.startswith("index"):
        return f"{usage.left_out} without a row"
    if name.startswith("imgtools"):
        return f"{usage.left_out} taken out before: its run ends at the first of them"
    return f"{usage.left_out} not read"
