"""What was measured, as a table, and which of the required and aimed-at factors hold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.read.cases import CASES, Told
from benchmarks.read.series import Series

Results = Mapping[str, Sequence[Told]]
OURS = "checked"


@dataclass(frozen=True, slots=True)
class Line:
    """A bound on the CPU time of ours over that of another case."""

    word: str
    peer: str
    at_most: float
    is_compressed: bool


LINES = (
    Line("required", "simpleitk", 1 / 8, is_compressed=False),
    Line("required", "new", 2.0, is_compressed=False),
    Line("aim", "new", 1.6, is_compressed=False),
    Line("required", "decode", 1.2, is_compressed=True),
)
PEAK_AT_MOST = 2.2


def print_results(series: Series, results: Results) -> None:
    """Print a row for each case that ran, and the lines."""
    rows = {name: median(runs) for name, runs in results.items() if runs}
    limit = rows["decode" if series.is_compressed else "new"]
    print(f"\n{series.title}: {series.n_bytes / 1e6:.0f} MB as int16; CPU time of all processes, medians")
    against = (
        "the bare decoder; on one core, if not said otherwise"
        if series.is_compressed
        else "pread into a new volume"
    )
    print(f"'x limit' is against {against}\n")
    head = f"{'':<44}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'x limit':>9}{'x reused':>10}{'x ours':>8}"
    print(head + f"{'peak MB':>9}{'/ volume':>10}  values")
    for name, told in rows.items():
        cells = [told.cpu_seconds * 1e3, told.wall_seconds * 1e3]
        over = [_over(told, rows.get(other)) for other in ("reused", OURS)]
        print(
            f"{CASES[name].title:<44}{len(results[name]):>5}{cells[0]:>10.1f}{cells[1]:>10.1f}"
            f"{told.cpu_seconds / limit.cpu_seconds:>9.2f}{over[0]:>10}{over[1]:>8}"
            f"{told.peak_bytes / 1e6:>9.0f}{told.peak_bytes / series.n_bytes:>10.2f}"
            f"  {_agreement(told, rows.get(OURS))}"
        )
    print()
    for line in (one for one in LINES if one.is_compressed == series.is_compressed):
        if OURS in rows and line.peer in rows:
            print_line(line, rows[OURS].cpu_seconds / rows[line.peer].cpu_seconds)
    if OURS in rows:
        ratio = rows[OURS].peak_bytes / series.n_bytes
        _print("required", "peak of memory over the volume", f"{ratio:.2f}x", f"at most {PEAK_AT_MOST:.2f}x")
        print("holds" if ratio <= PEAK_AT_MOST else "DOES NOT HOLD")


def print_line(line: Line, ratio: float) -> None:
    """Print one bound, as a gain where ours is to be the faster, and whether it holds."""
    what = f"all checks included, {'against' if line.at_most < 1 else 'over'} {CASES[line.peer].title}"
    if line.at_most < 1:
        _print(line.word, what, f"{1 / ratio:.2f}x", f"at least {1 / line.at_most:.2f}x")
    else:
        _print(line.word, what, f"{ratio:.2f}x", f"at most {line.at_most:.2f}x")
    print("holds" if ratio <= line.at_most else "DOES NOT HOLD")


def _print(word: str, what: str, measured: str, wanted: str) -> None:
    print(f"{word:<9}{what:<78}{measured:>8}  {wanted:<16}", end="")


def median(runs: Sequence[Told]) -> Told:
    """The median of each figure; of the values, those of the first run."""
    return Told(
        cpu_seconds=statistics.median(r.cpu_seconds for r in runs),
        wall_seconds=statistics.median(r.wall_seconds for r in runs),
        peak_bytes=int(statistics.median(r.peak_bytes for r in runs)),
        values=runs[0].values,
    )


def _over(told: Told, other: Told | None) -> str:
    return f"{told.cpu_seconds / other.cpu_seconds:.2f}" if other is not None else ""


def _agreement(told: Told, ours: Told | None) -> str:
    """Whether count, sum and sum of squares of the voxels are ours."""
    if not told.values or ours is None:
        return ""
    return "same" if told.values == ours.values else "OTHER"
