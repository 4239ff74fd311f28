"""The half of a measurement that stays outside the measured process; its other half is `timing`."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one pass over the files took; `disk_bytes` came from the disk and not from memory."""

    cpu_seconds: float
    wall_seconds: float
    left_out: int = 0
    disk_bytes: int = 0


class ChildFailedError(Exception):
    """A child ended otherwise than it should; the end of what it said."""


@dataclass(slots=True)
class Child:
    """A process to be measured; what it says besides its answer is kept for the case that it fails."""

    command: Sequence[str]
    threads: int = 1
    process: subprocess.Popen[str] = field(init=False)
    said: Any = field(init=False)

    def __enter__(self) -> Self:
        self.said = tempfile.TemporaryFile("w+")
        threads = {f"{library}_NUM_THREADS": str(self.threads) for library in _LIBRARIES}
        environment = os.environ | threads | {"HOME": tempfile.gettempdir()}
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.said):
            if pipe is not None:
                pipe.close()

    def wait_until_ready(self) -> None:
        """Wait for the word of `timing.serve`."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            self.fail()

    def begin(self) -> None:
        """Let it make its passes."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """All that it still prints, to its end."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def end(self, *, may_complain: bool = False) -> Usage:
        """Wait for it; what the system says that it took, with all children of its own."""
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode < 0 or (self.process.returncode and not may_complain):
            self.fail()
        return Usage(
            cpu_seconds=used.ru_utime + used.ru_stime, wall_seconds=0.0, disk_bytes=used.ru_inblock * 512
        )

    def fail(self) -> None:
        """Raise what it said last."""
        self.said.seek(0)
        words = " ".join(self.said.read().split())
        raise ChildFailedError(f"{' '.join(self.command[:4])} ...: {words[-400:]}")


def run_served(command: Sequence[str]) -> Usage:
    """Run a process that measures its own passes."""
    with Child(command) as child:
        child.wait_until_ready()
        before = _disk_bytes(child.process.pid)
        child.begin()
        told = json.loads(child.answer() or "{}")
        disk_bytes = child.end().disk_bytes - before
    return Usage(
        cpu_seconds=told["cpu"], wall_seconds=told["wall"], left_out=told["left_out"], disk_bytes=disk_bytes
    )


def run_whole(command: Sequence[str], *, may_complain: bool = False) -> tuple[Usage, str]:
    """Run a process from its start to its end; also what it printed."""
    start = time.perf_counter()
    with Child(command) as child:
        printed = child.answer()
        used = child.end(may_complain=may_complain)
    wall = time.perf_counter() - start
    usage = Usage(cpu_seconds=used.cpu_seconds, wall_seconds=wall, disk_bytes=used.disk_bytes)
    return usage, printed


def run_together(commands: Sequence[Sequence[str]]) -> float:
    """Wall seconds of several processes that begin together, per pass, on average: few files take long, not shared out evenly."""
    children = [Child(command) for command in commands]
    try:
        for child in children:
            child.__enter__()
        for child in children:
            child.wait_until_ready()
        for child in children:
            child.begin()
        walls = [json.loads(child.answer() or "{}")["wall"] for child in children]
        for child in children:
            child.end()
        return float(sum(walls) / len(walls))
    finally:
        for child in children:
            child.__exit__()


def _disk_bytes(pid: int) -> int:
    """What a process has read from the disk so far."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("read_bytes:")))


class Peaks:
    """Watches the children of a process, and keeps the peak of each one's memory in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid, self._ended = pid, threading.Event()
        self.by_pid: dict[int, int] = {}
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for pid in _children_of(self._pid):
                try:
                    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
                    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
                except (OSError, StopIteration):  # it has just ended
                    continue
                self.by_pid[pid] = max(peak * 1024, self.by_pid.get(pid, 0))


def _children_of(pid: int) -> list[int]:
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has just ended
        pass
    return found + [grandchild for child in found for grandchild in _children_of(child)]
