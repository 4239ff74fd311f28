"""Bounds of one hostile case: its processor time, its memory, and what it opens."""

import os
import re
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

_listening: list[list[str]] = []


class TooSlow(BaseException):
    """Nothing may catch it but the test."""


def _listen(event, args):
    if event == "open" and isinstance(args[0], str | bytes):
        for opened in _listening:
            opened.append(os.fsdecode(args[0]))


sys.addaudithook(_listen)


@contextmanager
def listening():
    """The names of the files that are opened meanwhile."""
    opened = []
    _listening.append(opened)
    try:
        yield opened
    finally:
        _listening.remove(opened)


@contextmanager
def bounded(*, cpu_seconds, memory_bytes):
    """What runs inside has so much processor time, and so much memory above what there was."""

    def stop(*_):
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    Path("/proc/self/clear_refs").write_text("5")
    base = _peak_bytes()
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert _peak_bytes() - base < memory_bytes


def _peak_bytes():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10
