"""What was measured, as tables, and which of the required and aimed-at factors hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.agreement.cases import Case
from benchmarks.agreement.volumes import Volume
from benchmarks.read.cases import Told
from benchmarks.read.results import median
from benchmarks.resample.results import Line

Results = Mapping[str, Sequence[Told]]

LINES = (
    Line("required", "body-ours", "body-limit", 1.5, is_limit=True),
    Line("required", "body-ours", "body-simpleitk", 20),
    Line("required", "labels-ours", "labels-simpleitk", 8),
    Line("required", "staple-ours", "staple-simpleitk", 20),
    Line("aim", "near-ours", "near-surface-distance", 3),
    Line("aim", "far-ours", "far-surface-distance", 3),
)


def print_results(volume: Volume, cases: Mapping[str, Case], results: Results) -> None:
    """Print a row for each case that ran, and the lines."""
    rows = {name: median(runs) for name, runs in results.items() if runs}
    ours = next((row for name, row in rows.items() if name.endswith("-ours")), None)
    print(
        f"\n{volume.title}: {volume.shape}; one thread, medians; last: the result, or the mean of several\n"
    )
    print(f"{'':<44}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'x ours':>9}{'peak MB':>9}")
    for name, row in rows.items():
        times = "" if ours is None else f"{row.cpu_seconds / ours.cpu_seconds:.2f}"
        told = f"  {row.values[0] / 1e6:.6f}" if row.values else ""
        print(
            f"{cases[name].title:<44}{len(results[name]):>5}{row.cpu_seconds * 1e3:>10.1f}"
            f"{row.wall_seconds * 1e3:>10.1f}{times:>9}{row.peak_bytes / 1e6:>9.0f}{told}"
        )
    print()
    for line in LINES:
        if line.ours in rows and line.peer in rows:
            _print_line(line, cases, rows[line.ours].cpu_seconds, rows[line.peer].cpu_seconds)


def _print_line(line: Line, cases: Mapping[str, Case], ours: float, peer: float) -> None:
    ratio = ours / peer if line.is_limit else peer / ours
    holds = ratio <= line.factor if line.is_limit else ratio >= line.factor
    what = f"{cases[line.ours].title}, {'over' if line.is_limit else 'against'} {cases[line.peer].title}"
    bound = f"{'at most' if line.is_limit else 'at least'} {line.factor:g}x"
    print(f"{line.word:<9}{what:<78}{ratio:>8.2f}x  {bound:<16}{'holds' if holds else 'DOES NOT HOLD'}")
