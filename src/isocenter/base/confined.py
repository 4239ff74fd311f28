"""The life of a confined process: it answers calls of native code within limits, one after another, until its caller is gone."""

from __future__ import annotations

import mmap
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np

# Name of the call, its slot, bytes of the two memories that are shared in it, where the data begin in theirs, bytes of
# the data and of the output, and up to six numbers.
REQUEST = struct.Struct("<16s6q6q")
REPLY = struct.Struct("<q")
READY, DONE, REFUSED, NO_MEMORY = range(4)
# Descriptors beyond those that were inherited: mapping a slot takes one for itself.
_SPARE_FILES = 8

Call = Callable[[memoryview, memoryview, tuple[int, ...]], None]


def serve(calls: Mapping[str, Call], writes_all: Collection[str] = ()) -> None:
    """Answer requests until the other end is closed; what a module does that is started by a `Sandbox`.

    A call gets the data, the room for its output, and the numbers of its request. It raises whatever it likes. The room is
    of zeros, as nothing of an earlier call may shine through, but for calls that write all of it or raise.

    Args:
        calls: All that may be asked for, by name.
        writes_all: Names of those that leave no byte of their room as it was.
    """
    requests, answers, memory_bytes, seconds, *files = (int(text) for text in sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller hears Ctrl-C too, and decides
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the system ends even a call that never comes back
    _confine(max(requests, answers, *files))
    room = _Room(files, memory_bytes)
    os.write(answers, REPLY.pack(READY))
    while len(head := os.read(requests, REQUEST.size)) == REQUEST.size:  # so few bytes come in one piece
        name, slot, data_size, out_size, at, n_data, n_out, *numbers = REQUEST.unpack(head)
        signal.alarm(seconds)
        try:
            data = room.of(2 * slot, data_size, mmap.PROT_READ)[at : at + n_data]
            out = room.of(2 * slot + 1, out_size, mmap.PROT_READ | mmap.PROT_WRITE)[:n_out]
            asked = name.rstrip(b"\0").decode()
            if asked not in writes_all:
                np.frombuffer(out, np.uint8).fill(0)
            calls[asked](data, out, tuple(numbers))
            answer = DONE
        except MemoryError:
            answer = NO_MEMORY
        except Exception:  # noqa: BLE001 - what native code says of foreign bytes; its text may quote them
            answer = REFUSED
        signal.alarm(0)
        os.write(answers, REPLY.pack(answer))


class _Room:
    """The memory that is shared with the caller, and a limit to all other."""

    def __init__(self, files: list[int], memory_bytes: int) -> None:
        self._files = files
        self._maps: dict[int, memoryview] = {}
        self._limit = memory_bytes + _used_bytes()

    def of(self, number: int, size: int, access: int) -> memoryview:
        """The memory of a file, which may have grown."""
        if number not in self._maps or len(self._maps[number]) != size:
            self._maps.pop(number, None)
            shared = size + sum(len(m) for m in self._maps.values())
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            wanted = self._limit + shared
            resource.setrlimit(
                resource.RLIMIT_AS,
                (wanted if hard < 0 else min(wanted, hard), resource.RLIM_INFINITY if hard < 0 else hard),
            )
            self._maps[number] = memoryview(mmap.mmap(self._files[number], size, prot=access))
        return self._maps[number]


def _confine(last_file: int) -> None:
    """No core, no byte in any file, and hardly a file more than those that are open."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = last_file + 1 + _SPARE_FILES
    wanted = wanted if hard < 0 else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))


def _used_bytes() -> int:
    """Addresses in use after all libraries were loaded; a generous guess where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 4 << 30
    return pages * os.sysconf("SC_PAGE_SIZE")
