"""Child: the process that reads the patches of one way, so that its time and memory are its own."""

from __future__ import annotations

import gc
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from isocenter.base import recycled
from isocenter.bench import ways
from isocenter.bench.sample import Sample
from isocenter.bench.ways import Way

_SECONDS_BETWEEN_LOOKS = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Some patches to read.

    Args:
        first: Number of the first one.
        seconds: Go on for so long.
        most: But for no more patches than that.
        is_cold: Whether the files are taken out of the system's memory before each patch.
        is_memory: Whether memory is looked at meanwhile, which takes time of its own.
    """

    first: int
    seconds: float
    most: int
    is_cold: bool = False
    is_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What reading some patches took.

    Args:
        seconds: Wall time of each patch.
        cpu_seconds: Processor time of all.
        disk_bytes: Bytes that came from the disk, for all.
        asked_bytes: Bytes that were asked of the system, mapped memory left out, for all.
        peak_bytes: Largest proportional set size while they were read, above that before the first file was opened; 0
            where memory was not looked at.
    """

    seconds: tuple[float, ...]
    cpu_seconds: float
    disk_bytes: int
    asked_bytes: int
    peak_bytes: int = 0


def serve(connection: Connection, way: Way, sample: Sample) -> None:
    """Answer requests until there is None; what goes wrong is told instead of an answer."""
    try:
        _warm_up(way, sample)
        base = _pss()
        read, files = ways.reader(way, sample), way.files(sample)
        connection.send("ready")
        while (asked := connection.recv()) is not None:
            connection.send(_answer(way, sample, read, asked, base, files))
    except Exception as error:  # noqa: BLE001 - told as text: not all of them can be sent
        connection.send(f"{type(error).__name__}: {error}")


def _warm_up(way: Way, sample: Sample) -> None:
    """Read two patches and let go of all: what is loaded and compiled once is no cost of a patch."""
    read = ways.reader(way, sample)
    for number in range(2):
        read(*sample.box(-1 - number))
    del read
    gc.collect()
    recycled.release()


def _answer(way: Way, sample: Sample, read: ways.Read, asked: Asked, base: int, files: list[Path]) -> Told:
    taken: list[float] = []
    before, cpu, began = _io(), time.process_time(), time.monotonic()
    idle = 0.0
    with _watched(is_wanted=asked.is_memory) as seen:
        while len(taken) < asked.most and time.monotonic() - began - idle < asked.seconds:
            if asked.is_cold:
                start = time.process_time()
                ways.forget(files)
                read = ways.reader(way, sample)
                idle += time.process_time() - start
            case, box = sample.box(asked.first + len(taken))
            start = time.perf_counter()
            held = read(case, box)
            taken.append(time.perf_counter() - start)
            del held
    after = _io()
    return Told(
        seconds=tuple(taken),
        cpu_seconds=time.process_time() - cpu - (idle if asked.is_cold else 0.0),
        disk_bytes=after["read_bytes"] - before["read_bytes"],
        asked_bytes=after["rchar"] - before["rchar"],
        peak_bytes=max(0, max(seen, default=0) - base),
    )


@contextmanager
def _watched(*, is_wanted: bool) -> Any:
    """Proportional set sizes of this process, seen again and again while the block runs."""
    seen: list[int] = []
    if not is_wanted:
        yield seen
        return
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_SECONDS_BETWEEN_LOOKS):
            seen.append(_pss())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()
        seen.append(_pss())


def _pss() -> int:
    """Proportional set size of this process and its children, in bytes; 0 where the system does not tell."""
    total = 0
    for process in (os.getpid(), *_children(os.getpid())):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += 1024 * next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total


def _children(process: int) -> list[int]:
    out: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found = [int(p) for p in path.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for one in found:
            out += [one, *_children(one)]
    return out


def _io() -> dict[str, int]:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return {"read_bytes": 0, "rchar": 0}
    return {name: int(value) for name, _, value in (line.partition(": ") for line in lines)}
