"""What was measured, as a table, and which of the required factors hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.augment.cases import Case
from benchmarks.augment.problem import PATCH
from benchmarks.read.cases import Told
from benchmarks.read.results import median

_LEAST = 3.0
_KINDS = ("rotation", "chain", "elastic", "all")
_OTHER_WORK = {"batchgenerators-elastic", "batchgenerators-all"}


def print_results(cases: Mapping[str, Case], results: Mapping[str, Sequence[Told]]) -> None:
    """Print a row for each case that ran, and for each kind the best peer."""
    rows = {name: median(runs) for name, runs in results.items() if runs}
    n_bytes = 5 * PATCH**3
    print(
        f"a patch of {PATCH}^3, float32 image and uint8 mask ({n_bytes / 1e6:.0f} MB), of the chest CT reflected in z"
    )
    print(
        "medians; 'x ours' by CPU time of one thread; last: max and rms off float64, in millionths of the range\n"
    )
    print(f"{'':<42}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'x ours':>8}{'peak MB':>9}")
    for name, row in rows.items():
        ours = rows.get(f"isocenter-{cases[name].kind}")
        times = "" if ours is None else f"{row.cpu_seconds / ours.cpu_seconds:.2f}"
        print(
            f"{cases[name].title:<42}{len(results[name]):>5}{row.cpu_seconds * 1e3:>10.1f}"
            f"{row.wall_seconds * 1e3:>10.1f}{times:>8}{row.peak_bytes / 1e6:>9.0f}  {' '.join(map(str, row.values))}"
        )
    print()
    for kind in _KINDS:
        peers = {
            n: r
            for n, r in rows.items()
            if cases[n].kind == kind and cases[n].is_peer and n not in _OTHER_WORK
        }
        ours = rows.get(f"isocenter-{kind}")
        if ours is None or not peers:
            continue
        best = min(peers, key=lambda n: peers[n].cpu_seconds)
        _print_line(
            f"{kind}: CPU time against {cases[best].title}",
            peers[best].cpu_seconds / ours.cpu_seconds,
            _LEAST,
        )
        least = min(peers, key=lambda n: peers[n].peak_bytes)
        _print_line(
            f"{kind}: memory against {cases[least].title}",
            peers[least].peak_bytes / max(ours.peak_bytes, 1),
            1.0,
        )


def _print_line(what: str, ratio: float, least: float) -> None:
    holds = "holds" if ratio >= least else "DOES NOT HOLD"
    print(f"required {what:<68}{ratio:>8.2f}x  at least {least:g}x  {holds}")
