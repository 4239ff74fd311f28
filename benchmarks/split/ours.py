"""Our own splits of cohorts read from a file, with their CPU time.

Usage: python -m benchmarks.split.ours FILE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.rows import gather
from isocenter.stages.split.stage import split


def main() -> None:
    """Split every cohort and print folds and seconds."""
    cohorts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    warm = [SplitRow(subject=str(n), labels=("a",) * (n % 2)) for n in range(12)]
    split(warm, _options(3), seed=0)
    for cohort in cohorts:
        start = time.process_time()
        rows = [
            SplitRow(subject=f"{n:07}", group=f"g{group}", labels=tuple(f"l{x:02}" for x in labels))
            for n, (labels, group) in enumerate(zip(cohort["labels"], cohort["groups"], strict=True))
        ]
        done = split(gather((r, ()) for r in rows), _options(cohort["folds"]), seed=0)
        seconds = time.process_time() - start
        folds = [int(r.partition.removeprefix("fold-")) for r in sorted(done.rows, key=lambda r: r.subject)]
        optimum = done.certificate.optimum if done.certificate else None
        print(json.dumps({"folds": folds, "seconds": seconds, "proof": optimum.proof if optimum else ""}))


def _options(folds: int) -> SplitOptions:
    return SplitOptions(strategy="k-fold", folds=folds, fractions={"train": 1.0}, min_positive=0)


if __name__ == "__main__":
    main()
