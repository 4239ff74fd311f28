"""Runs native code on foreign bytes in a limited process of its own, so that its death is one refused file.

The process is a Python module that ends with `isocenter.base.confined.serve(CALLS)`: nothing but those calls can be asked
for. It starts with the first call, serves all later ones of its caller, and ends with it, however suddenly. Bytes
travel in shared memory, of which the process may write to that of the outputs alone; requests are plain numbers. Two
slots let the caller prepare a call while another runs.
"""

from __future__ import annotations

import atexit
import fcntl
import mmap
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isocenter.base.confined import DONE, NO_MEMORY, READY, REPLY, REQUEST
from isocenter.base.errors import FormatError, RunError

Buffer = bytes | bytearray | memoryview
MEMORY_BYTES = 768 << 20
SECONDS = 60
# What the process itself did not end in time: it was stopped, or waits for a disk.
_GRACE_SECONDS = 30
_SLOTS, _SHARED_BYTES, _KEPT_BYTES = 2, 4 << 20, 64 << 20
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR")}
_all: weakref.WeakSet[Sandbox] = weakref.WeakSet()


@dataclass(slots=True, eq=False)
class Call:
    """A call that was begun.

    Args:
        sandbox: Where it runs.
        name: What is called.
        data: The foreign bytes.
        n_out: Bytes of its output.
        numbers: Up to six numbers that it needs.
        into: Where the output goes; new memory where it is None.
    """

    sandbox: Sandbox
    name: str
    data: memoryview
    n_out: int
    numbers: tuple[int, ...]
    into: memoryview | None = None
    slot: int = 0
    is_second_try: bool = False
    output: bytearray | memoryview | None = None
    error: FormatError | None = field(default=None)

    def result(self) -> bytearray | memoryview:
        """The output, once it is there.

        Raises:
            FormatError: the bytes were refused (file/corrupt), the call took too much memory or time (file/limit), or
                its process died of it, twice (file/decoder-died).
        """
        if self.output is None and self.error is None:
            self.sandbox.collect(self)
        if self.error is not None:
            raise self.error
        assert self.output is not None
        return self.output


class _Shared:
    """Memory that the caller and the process share; it may grow, and gives back what a large call took."""

    def __init__(self) -> None:
        self.file, self.size, self._address = _unnamed_file(), 0, 0
        self.memory = memoryview(b"")

    def first(self, n_bytes: int) -> memoryview:
        """So many bytes of it, from the first on."""
        if n_bytes > self.size or not self.size:
            self.size = max(_SHARED_BYTES, -(-n_bytes // mmap.PAGESIZE) * mmap.PAGESIZE)
            os.ftruncate(self.file, self.size)
            self.memory = memoryview(mmap.mmap(self.file, self.size))
            self._address = _address_of(self.memory)
        return self.memory[:n_bytes]

    def holds(self, data: memoryview) -> bool:
        """Whether the bytes lie in it, as it is now."""
        return data.obj is self.memory.obj and len(data) > 0

    def place(self, data: memoryview) -> int:
        """Where the bytes begin in it; they are copied to it if they are elsewhere."""
        if self.holds(data):
            return _address_of(data) - self._address
        self.first(len(data))[:] = data
        return 0

    def empty(self) -> None:
        """Give large memory back to the system; the addresses stay."""
        shared = self.memory.obj
        if self.size > _KEPT_BYTES and isinstance(shared, mmap.mmap) and hasattr(mmap, "MADV_REMOVE"):
            shared.madvise(mmap.MADV_REMOVE)

    def close(self) -> None:
        """Give the memory back."""
        self.memory = memoryview(b"")
        os.close(self.file)


class _Slot:
    """What is shared for one call: memory of the data, which the process only reads, and memory of the output."""

    def __init__(self) -> None:
        self.data, self.out = _Shared(), _Shared()

    @property
    def files(self) -> tuple[int, int]:
        """The files that are passed on."""
        return self.data.file, self.out.file

    def empty(self) -> None:
        """Give large memory back to the system."""
        self.data.empty()
        self.out.empty()

    def close(self) -> None:
        """Give all memory back."""
        self.data.close()
        self.out.close()


def _address_of(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0])


def _unnamed_file() -> int:
    """A file without a name, in memory where the system has such files, that nobody can shorten while it is mapped."""
    if not hasattr(os, "memfd_create"):
        number, name = tempfile.mkstemp()
        Path(name).unlink()
        return number
    number = os.memfd_create("isocenter", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fcntl.fcntl(number, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return number


class _Child:
    """The process, the pipes to and from it, and the memory shared with it."""

    def __init__(self, module: str, memory_bytes: int, seconds: int) -> None:
        self.slots = [_Slot() for _ in range(_SLOTS)]
        (request, self._requests), (self._answers, answer) = os.pipe(), os.pipe()
        passed = (request, answer, *(file for slot in self.slots for file in slot.files))
        numbers = (request, answer, memory_bytes, seconds, *passed[2:])
        path = os.pathsep.join(p for p in sys.path if p)
        self.process = subprocess.Popen(  # noqa: S603 - our own module, named by our own code
            [sys.executable, "-P", "-W", "ignore", "-m", module, *map(str, numbers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=passed,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path},
        )
        os.close(request)  # or the pipes would not end when the process does
        os.close(answer)
        self._seconds = seconds + _GRACE_SECONDS
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        if self.read() != READY:
            self.end()
            raise RunError(f"no process can be started for {module}")

    def send(self, request: bytes) -> None:
        """Send a request, which is small enough to go in one piece."""
        with suppress(OSError):  # it is dead, which its end of the other pipe will tell
            os.write(self._requests, request)

    def read(self) -> int | None:
        """The next answer; None where the process is dead, or silent for too long."""
        if not self._poll.poll(1000 * self._seconds):
            return None
        raw = os.read(self._answers, REPLY.size)
        return int(REPLY.unpack(raw)[0]) if len(raw) == REPLY.size else None

    def end(self) -> int:
        """Kill the process; what it had ended with, or -SIGKILL."""
        self.process.kill()
        ended = self.process.wait()
        self._close()
        return ended

    def forget(self) -> None:
        """Leave the process to the one that started it."""
        self.process.returncode = 0
        self._close()

    def _close(self) -> None:
        os.close(self._requests)
        os.close(self._answers)
        for slot in self.slots:
            slot.close()


class Sandbox:
    """A process that runs the calls of one module.

    Args:
        module: The module; it ends with `serve` of its calls.
        memory_bytes: What a call may take beyond its input and output.
        seconds: What a call may last.
    """

    def __init__(self, module: str, *, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS) -> None:
        self._module, self._memory_bytes, self._seconds = module, memory_bytes, seconds
        self.forget()
        _all.add(self)
        atexit.register(self.close)

    def begin(
        self, name: str, data: Buffer, n_out: int, *numbers: int, into: memoryview | None = None
    ) -> Call:
        """Begin a call; it runs while the caller does something else, and leaves data and room alone.

        Data that were read into memory which `offer` gave are not copied.
        """
        call = Call(
            sandbox=self, name=name, data=memoryview(data).cast("B"), n_out=n_out, numbers=numbers, into=into
        )
        with self._lock:
            call.slot = self._free_slot()
            self._pending.append(call)
            try:
                self._send(call)
            except BaseException:
                self._end()  # in the middle of a message, of which the next would be taken for the rest
                raise
        return call

    @contextmanager
    def offer(self, n_bytes: int) -> Iterator[memoryview]:
        """Shared memory to read the data of one or two calls into that are begun within; other threads wait meanwhile.

        A third would have to wait for the first, with whose answer the memory is given up; a call of other data would be
        put into the same memory. Neither may be begun within.
        """
        with self._lock:
            slot = self._free_slot()
            yield self._started().slots[slot].data.first(n_bytes)

    def call(self, name: str, data: Buffer, n_out: int, *numbers: int) -> bytearray | memoryview:
        """Call and wait; see `Call.result`."""
        return self.begin(name, data, n_out, *numbers).result()

    def collect(self, call: Call) -> None:
        """Wait until a call is answered."""
        with self._lock:
            while call in self._pending:
                self._answer()

    @property
    def process_id(self) -> int | None:
        """The number of the process; None where none runs."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the process; a later call starts another."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """Be as new, in a process that was forked: what was begun belongs to the other one."""
        child = getattr(self, "_child", None)
        if child is not None:
            child.forget()
        self._lock = threading.RLock()
        self._child: _Child | None = None
        self._pending: deque[Call] = deque()

    def _free_slot(self) -> int:
        """The first slot that no call is in, as soon as there is one."""
        while len(self._pending) == _SLOTS:
            self._answer()
        taken = [call.slot for call in self._pending]
        return next(n for n in range(_SLOTS) if n not in taken)

    def _started(self) -> _Child:
        if self._child is None:
            self._child = _Child(self._module, self._memory_bytes, self._seconds)
        return self._child

    def _send(self, call: Call) -> None:
        child = self._started()
        slot = child.slots[call.slot]
        at, _ = slot.data.place(call.data), slot.out.first(call.n_out)
        numbers = (*call.numbers, *[0] * (6 - len(call.numbers)))
        sizes = (slot.data.size, slot.out.size, at, len(call.data), call.n_out)
        child.send(REQUEST.pack(call.name.encode(), call.slot, *sizes, *numbers))

    def _answer(self) -> None:
        """Take the answer to the oldest call."""
        try:
            self._take()
        except BaseException:
            self._end()  # in the middle of a message, of which the next would be taken for the rest
            raise

    def _take(self) -> None:
        assert self._child is not None
        call, answer = self._pending[0], self._child.read()
        if answer is None:
            self._bury()
            return
        if answer == DONE:
            slot = self._child.slots[call.slot]
            call.output = bytearray(call.n_out) if call.into is None else call.into
            call.output[:] = slot.out.memory[: call.n_out]
            slot.empty()
        elif answer == NO_MEMORY:
            call.error = _beyond(f"{self._memory_bytes >> 20} MiB")
        else:
            call.error = FormatError("file/corrupt", "the decoder refuses the compressed data")
        self._pending.popleft()

    def _bury(self) -> None:
        """The process is dead: what it worked on gets a second try, for others may have killed it; not what took too long."""
        assert self._child is not None
        is_silent = self._child.process.poll() is None and not self._has_ended()
        ended, self._child = self._child.end(), None
        call = self._pending[0]
        if is_silent or ended == -signal.SIGALRM:
            call.error = _beyond(f"{self._seconds} seconds")
        elif call.is_second_try:
            call.error = FormatError(
                "file/decoder-died", "the decoder died of the compressed data", measured=ended
            )
        call.is_second_try = True
        if call.error is not None:
            self._pending.popleft()
        for waiting in self._pending:
            self._send(waiting)

    def _has_ended(self) -> bool:
        """Whether the process ends by itself within a moment of having closed its pipe."""
        assert self._child is not None
        try:
            self._child.process.wait(1)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = None
        while self._pending:
            self._pending.popleft().error = FormatError("file/decoder-died", "the decoder was ended")


def _beyond(limit: str) -> FormatError:
    return FormatError("file/limit", "decoding takes more memory or time than one frame may", expected=limit)


def _forget_all() -> None:
    for sandbox in list(_all):
        sandbox.forget()


os.register_at_fork(after_in_child=_forget_all)
