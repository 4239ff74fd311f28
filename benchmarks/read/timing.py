"""The half of a measurement of a reader that runs inside the measured process: its CPU time and its memory.

The process warms up on a small series, says so, waits for a line, reads the series once for the peak of its memory,
and then so many times for its CPU time. Nothing here needs more than Python itself: it runs in the environments of
the peers too.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.index import timing


def serve(
    read: Callable[[], Any],
    warm_up: Callable[[], Any],
    passes: int,
    values: Callable[[Any], list[int]] = lambda _: [],
) -> None:
    """Measure a reader.

    Args:
        read: Reads the series, and gives what it has read.
        warm_up: Does the same to a small series, so that everything is loaded and compiled.
        passes: How many passes are measured together.
        values: Numbers that every reader of the same series gives alike.
    """
    warm_up()
    print("ready", flush=True)
    sys.stdin.readline()
    gc.collect()
    before = {pid: _memory(pid, "VmRSS") for pid in ("self", *_living())}
    _forget_peak()
    kept = read()
    grown = sum(_memory(pid, "VmHWM") - before.get(pid, 0) for pid in ("self", *_living()))
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    told = values(kept)
    del kept
    gc.collect()
    cpu, wall = cpu_seconds(), time.perf_counter()
    for _ in range(passes):
        read()
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    answer = {"cpu": cpu / passes, "wall": wall / passes, "peak": max(grown, ended), "values": told}
    print(json.dumps(answer))


def cpu_seconds() -> float:
    """Of this process, the children that have ended, and those that have not."""
    total = timing.cpu_seconds()
    for pid in _living():
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(task.read_text(encoding="ascii").split()[0]) / 1e9
    return total


def _living() -> list[str]:
    found = Path("/proc/self/task").glob("*/children")
    return [pid for each in found for pid in each.read_text(encoding="ascii").split()]


def _memory(pid: str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


def _forget_peak() -> None:
    """Let the peak of this process's memory begin where it is now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
