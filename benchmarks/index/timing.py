"""The half of a measurement that runs inside the measured process; its other half is `children`.

The process gets ready, says so, waits for a line, makes its passes over the files, and prints what they took.
So nothing of its start is measured, and several can be made to begin together.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def serve(one_pass: Callable[[], int], warm_up: Callable[[], object], passes: int) -> None:
    """Measure passes over the files.

    Args:
        one_pass: Goes over all files; the count of those that it could not do, or not by itself.
        warm_up: Does the same to a few other files, so that everything is loaded and compiled.
        passes: How many passes are measured together.
    """
    warm_up()
    print("ready", flush=True)
    sys.stdin.readline()
    left_out = 0
    cpu, wall = cpu_seconds(), time.perf_counter()
    for _ in range(passes):
        left_out = one_pass()
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    print(json.dumps({"cpu": cpu / passes, "wall": wall / passes, "left_out": left_out}))


def cpu_seconds() -> float:
    """Of this process and the children that have ended."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total
