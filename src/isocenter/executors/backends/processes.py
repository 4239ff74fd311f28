"""Runs items in child processes of this machine, several at once.

Workers start by spawn, because a fork copies the locks of the parent's threads. Each has a pipe of its
own, so that it is known which item a killed worker had, and nobody waits for half a message. Such an item
is run once more, while nothing else runs: what lacked memory beside others may have enough alone. A
function may therefore be called twice for one item and must be repeatable.

A worker whose parent is gone, however suddenly, ends at once: no orphan goes on writing in a workspace.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from isocenter.base.errors import ConfigError, RunError
from isocenter.base.outcome import Failure, Outcome
from isocenter.executors.work import attempt, failed

Item = TypeVar("Item")
Result = TypeVar("Result")

_SPAWN = multiprocessing.get_context("spawn")
_AHEAD_PER_JOB = 4  # items begun beyond the oldest unfinished one: bounds memory, evens out long items
_DIED = Failure("WorkerDied", "executors.processes", "the process of this item was killed, twice")
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")
}


def map(  # noqa: A001 - the promise's own name
    function: Callable[[Item], Result], items: Iterable[Item], *, jobs: int
) -> Iterator[Outcome[Result]]:
    """Run a picklable function over picklable items; outcomes come in the order of the items.

    Raises:
        ConfigError: `jobs` is below 1.
        RunError: no worker process can start.
    """
    crew = _Crew(function, jobs)
    atexit.register(crew.end)  # an iterator that nobody finished must not keep the interpreter from ending
    try:
        yield from crew.run(items)
    finally:
        crew.end()
        atexit.unregister(crew.end)


@dataclass(frozen=True, slots=True)
class _Job(Generic[Item]):
    """An item with its number, and whether it has already cost a worker."""

    number: int
    item: Item
    is_second_try: bool = False


class _Worker(Generic[Item, Result]):
    """A child process, the pipe to it, and what it is working on."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.process: SpawnProcess = _SPAWN.Process(target=_serve, args=(theirs, function))
        self.job: _Job[Item] | None = None
        self.is_ready = False
        self._theirs = theirs

    def start(self) -> None:
        """Start the process."""
        with _one_thread():
            self.process.start()
        self._theirs.close()  # or the pipe would not end when the worker does

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        if self.process.pid is not None:
            self.process.kill()
            self.process.join()
        self.process.close()
        self.pipe.close()


class _Crew(Generic[Item, Result]):
    """The workers of one call of `map`."""

    def __init__(self, function: Callable[[Item], Result], jobs: int) -> None:
        if jobs < 1:
            raise ConfigError("jobs must be at least 1")
        self._function = function
        self._jobs = jobs
        self._workers: list[_Worker[Item, Result]] = []
        self._done: dict[int, Outcome[Result]] = {}
        self._again: deque[_Job[Item]] = deque()
        self._has_started = False

    def run(self, items: Iterable[Item]) -> Iterator[Outcome[Result]]:
        """The outcomes, in the order of the items."""
        jobs = (_Job(number, item) for number, item in enumerate(items))
        begun = 0
        for oldest in count():
            while True:
                for _ in range(min(self._free(), oldest + self._jobs * _AHEAD_PER_JOB - begun)):
                    if (job := next(jobs, None)) is not None:
                        self._hand_out(job)
                        begun += 1
                if self._again and not self._busy():
                    self.end()  # the second try gets all memory and a process that is known to live
                    self._hand_out(self._again.popleft())
                if oldest == begun or oldest in self._done:
                    break
                self._collect(None)
            if oldest == begun:
                return
            self._collect(0)
            yield self._done.pop(oldest)

    def end(self) -> None:
        """Leave no worker behind."""
        while self._workers:
            self._workers.pop().end()

    def _busy(self) -> list[_Worker[Item, Result]]:
        return [w for w in self._workers if w.job is not None]

    def _free(self) -> int:
        """How many items may be handed out: none while an item that cost a worker waits to run alone."""
        suspected = bool(self._again) or any(w.job is not None and w.job.is_second_try for w in self._workers)
        return 0 if suspected else self._jobs - len(self._busy())

    def _hand_out(self, job: _Job[Item]) -> None:
        worker = next((w for w in self._workers if w.job is None), None)
        if worker is None:
            worker = _Worker(self._function)
            self._workers.append(worker)  # before it starts: an interrupt must find it
            worker.start()
        worker.job = job
        try:
            worker.pipe.send(job.item)
        except OSError:  # it is dead, which its end of the pipe will tell
            pass
        except Exception as error:  # noqa: BLE001 - an item that cannot be pickled
            self._settle(worker, failed(error))

    def _collect(self, timeout: float | None) -> None:
        """Take what the workers have to say, waiting for the first word without a timeout."""
        busy = self._busy()
        ready = wait([w.pipe for w in busy], timeout)
        for worker in busy:
            if worker.pipe in ready:
                self._listen(worker)

    def _listen(self, worker: _Worker[Item, Result]) -> None:
        try:
            word = worker.pipe.recv()
        except (EOFError, OSError):
            self._bury(worker)
        except Exception as error:  # noqa: BLE001 - a result that cannot be put together again
            self._settle(worker, failed(error))
        else:
            if worker.is_ready:
                self._settle(worker, word)
            worker.is_ready = self._has_started = True

    def _settle(self, worker: _Worker[Item, Result], outcome: Outcome[Result]) -> None:
        assert worker.job is not None
        self._done[worker.job.number] = outcome
        worker.job = None

    def _bury(self, worker: _Worker[Item, Result]) -> None:
        """A worker was killed: its item gets a second try, alone."""
        self._workers.remove(worker)
        worker.end()
        if not self._has_started:
            raise RunError(
                "no worker process can start; a script that runs work in processes needs "
                '`if __name__ == "__main__":` around its calls, or the serial executor'
            )
        job = worker.job
        assert job is not None
        if job.is_second_try:
            self._settle(worker, Outcome(failure=_DIED))
        else:
            self._again.append(_Job(job.number, job.item, is_second_try=True))


def _serve(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """A worker's life: say that it is there, then answer each item with its outcome."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C too, and decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(_ONE_THREAD)
    pipe.send(None)
    with suppress(EOFError, OSError):  # the other end was closed
        while True:
            _answer(pipe, function)


def _answer(pipe: Connection, function: Callable[[Any], Any]) -> None:
    try:
        item = pipe.recv()
    except (EOFError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - an item that cannot be put together again
        return pipe.send(failed(error))
    try:
        pipe.send(attempt(function, item))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - a result that cannot be pickled
        pipe.send(failed(error))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let children that start here give numerical libraries one thread each; read when those are loaded."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
