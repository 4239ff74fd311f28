"""Samples that say how much memory their worker has to itself, and a tree of processes that says it of all."""

import multiprocessing
import os
import threading
from pathlib import Path

from isocenter.loading.samples import Samples

REAL = 8


def private_bytes(pid="self"):
    """Memory that one process has to itself (USS), and the part of it that it wrote, of `smaps_rollup` (proc(5)).

    What it did not write are pages of files that no other process looks at.
    """
    dirty = _kilobytes(pid, ("Private_Dirty:",))
    return (dirty + _kilobytes(pid, ("Private_Clean:",))) * 1024, dirty * 1024


def shared_out_bytes(pids):
    """Proportional set size of some processes together."""
    return sum(_kilobytes(pid, ("Pss:",)) for pid in pids) * 1024


def _kilobytes(pid, names):
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open(encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(names))
    except (FileNotFoundError, ProcessLookupError):
        return 0


class WideSamples(Samples):
    """An index of any number of cases, of which the first few are really there; the others are looked up, then one of these is read."""

    def sample(self, index, epoch=0):
        case = self.case_at(index)
        columns = self.selection.columns
        looked_up = [columns[name][case].tobytes() for name in columns]
        made = super().sample(index % REAL, epoch)
        return made | {"looked_up": len(looked_up), "private": private_bytes() if index % 97 == 0 else (0, 0)}


class Peak:
    """The most memory that this process and its children had while a block ran."""

    def __enter__(self):
        self.bytes, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.wait(0.02):
            pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
            self.bytes = max(self.bytes, shared_out_bytes(pids))
