"""Measures splits against those of peers on the same cohorts, and how the time grows with the cohort.

What is judged is the deviation of the labels, by one and the same count; the CPU time stands beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.index import peers
from benchmarks.index.children import ROOT
from benchmarks.split.cohorts import Cohort, classes, deviation, large, several, torn

_LISTS = Path(__file__).parent / "peers"
_REQUIRED = 0.95
_NEAR = 1e-12
_GROWTH = ((1000, 10, 1), (1000, 50, 1), (10_000, 10, 1), (10_000, 50, 1), (100_000, 50, 1), (100_000, 50, 3))
_LIMIT_SECONDS = 60.0


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench split", description="Measure splits")
    parser.add_argument("--cohorts", type=int, default=200, help="cohorts against each peer")
    parser.add_argument("--ours", action="store_true", help="without the peers")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        folder = Path(name)
        if not chosen.ours:
            python = peers.interpreter("scikit-learn", _LISTS)
            for peer, make in (("scikit-learn", classes), ("iterative-stratification", several)):
                cohorts = [make(n) for n in range(chosen.cohorts)]
                compare(peer, cohorts, folder, python)
        grow(folder)


def compare(peer: str, cohorts: Sequence[Cohort], folder: Path, python: str) -> None:
    """Print how often our deviation is smaller than, equal to, or larger than that of a peer."""
    file = _written(folder, cohorts)
    ours = _run([sys.executable, "-m", "benchmarks.split.ours", str(file)])
    theirs = _run([python, "-m", "benchmarks.split.others", peer, str(file)])
    for what, place in (("count", 0), ("share", 1)):
        pairs = [
            (deviation(c, a["folds"])[place], deviation(c, b["folds"])[place])
            for c, a, b in zip(cohorts, ours, theirs, strict=True)
        ]
        less = sum(a < b - _NEAR for a, b in pairs)
        equal = sum(abs(a - b) <= _NEAR for a, b in pairs)
        share = (less + equal) / len(pairs)
        verdict = ("holds" if share >= _REQUIRED else "DOES NOT HOLD") if place == 0 else ""
        print(
            f"{peer:<26}{what:<8} of a label: ours smaller in {less}, equal in {equal} of {len(pairs)} "
            f"({share:.1%}); medians {median(a for a, _ in pairs):.5f} and {median(b for _, b in pairs):.5f}  {verdict}"
        )
    for word, done in (("ours", ours), (peer, theirs)):
        seconds = [d["seconds"] for d in done]
        sizes = [deviation(c, d["folds"])[2] for c, d in zip(cohorts, done, strict=True)]
        divided = sum(torn(c, d["folds"]) for c, d in zip(cohorts, done, strict=True))
        print(
            f"{'':<26}{word:<26} median {median(seconds) * 1e3:.1f} ms, slowest {max(seconds):.2f} s CPU; "
            f"sizes off by {median(sizes):.2%} (median); groups divided {divided}"
        )
    proofs = [d["proof"] for d in ours]
    print(
        f"{'':<26}proved to be a best one: {sum(p in {'integers', 'exact'} for p in proofs)} of {len(proofs)}"
    )


def grow(folder: Path) -> None:
    """Print the CPU time of our split for cohorts that grow."""
    print(f"\n{'subjects':>10}{'labels':>8}{'a group':>9}{'CPU s':>9}{'us/subject':>12}  proof")
    for size, labels, groups_of in _GROWTH:
        cohort = large(size, labels, groups_of)
        (done,) = _run([sys.executable, "-m", "benchmarks.split.ours", str(_written(folder, [cohort]))])
        each = done["seconds"] / size * 1e6
        print(f"{size:>10,}{labels:>8}{groups_of:>9}{done['seconds']:>9.2f}{each:>12.0f}  {done['proof']}")
        if size == _GROWTH[-1][0] and done["seconds"] > _LIMIT_SECONDS:
            print(f"{'':<10}DOES NOT HOLD: at most {_LIMIT_SECONDS:.0f} s")
        sys.stdout.flush()


def _written(folder: Path, cohorts: Sequence[Cohort]) -> Path:
    file = folder / "cohorts.json"
    file.write_text(json.dumps([c.plain for c in cohorts]), encoding="utf-8")
    return file


def _run(command: Sequence[str]) -> list[dict[str, Any]]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


if __name__ == "__main__":
    main()
