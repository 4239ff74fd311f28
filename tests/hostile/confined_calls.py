"""Calls that do harm, for a process that is there to bear it."""

import ctypes
import os
import resource
import signal
import threading
from pathlib import Path

import numpy as np

from isocenter.base.confined import serve

_held = []


def _copy(data, out, _):
    out[: len(data)] = data


def _grow(data, out, numbers):
    _held.append(bytearray(numbers[0]))


def _touch(data, out, numbers):
    block = bytearray(numbers[0])
    block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])


def _open(data, out, _):
    """Which files can be opened, and written to."""
    out[0] = 0
    try:
        with Path(bytes(data).decode()).open("wb", buffering=0) as file:
            out[0] = 1
            file.write(b"x")
            out[0] = 2
    except OSError:
        pass


def _limits(data, out, _):
    found = [resource.getrlimit(n)[0] for n in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)]
    out[:2] = bytes(found)
    out[2] = os.fstat(0).st_rdev == Path(os.devnull).stat().st_rdev


def _overwrite(data, out, _):
    """Write to the data as native code would, that asks nobody."""
    ctypes.memset(np.frombuffer(data, np.uint8).ctypes.data, 0, len(data))


def _hang(data, out, _):
    while True:
        pass


CALLS = {
    "copy": _copy,
    "refuse": lambda data, out, _: 1 / 0,
    "sleep": lambda data, out, numbers: threading.Event().wait(numbers[0] / 1000) and None,
    "hang": _hang,
    "stop": lambda data, out, _: os.kill(os.getpid(), signal.SIGSTOP),
    "die": lambda data, out, numbers: os.kill(os.getpid(), numbers[0]),
    "exit": lambda data, out, numbers: os._exit(numbers[0]),
    "grow": _grow,
    "touch": _touch,
    "open": _open,
    "overwrite": _overwrite,
    "limits": _limits,
    "shorten": lambda data, out, numbers: os.ftruncate(numbers[0], 0),
}

if __name__ == "__main__":
    serve(CALLS)
