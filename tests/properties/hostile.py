"""Samples that fail in every way that a worker can."""

import ctypes
import os
import signal
import threading

from isocenter.base.errors import StoreCorrupt
from isocenter.loading.samples import Samples

STRUCK = 5


class PickyError(Exception):
    """Cannot be made again from its own arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


class SilentError(Exception):
    """Has no text."""

    def __str__(self):
        raise RuntimeError


def _carrying():
    error = ValueError("holds what no process can send")
    error.lock = threading.Lock()
    raise error


def _deep(n):
    return _deep(n + 1)


def _raise(error):
    raise error


FAILURES = {
    "plain": lambda: _raise(ValueError("secret")),
    "ours": lambda: _raise(StoreCorrupt("is broken")),
    "unpicklable": lambda: _raise(PickyError(1, 2)),
    "carrying": _carrying,
    "silent": lambda: _raise(SilentError()),
    "memory": lambda: _raise(MemoryError()),
    "recursion": lambda: _deep(0),
    "leaves": lambda: os._exit(3),
    "exits": lambda: _raise(SystemExit(4)),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crashes": lambda: ctypes.string_at(8),
    "hangs": threading.Event().wait,
}


class HostileSamples(Samples):
    """One of the samples fails."""

    def _make(self, case, index, epoch):
        if index == STRUCK:
            FAILURES[self.failure]()
        return super()._make(case, index, epoch)


def strike(data, failure):
    data.samples.__class__ = HostileSamples
    data.samples.failure = failure
    return data
