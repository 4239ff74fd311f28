"""Runs work whose n-th change of a file goes wrong, and tells what became of it.

`interpose.c` is compiled once and loaded before anything else into a process of its own; that process imports what
the work needs, and then forks for every fault, so that a thousand of them take seconds.
"""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

KINDS = {"count": 0, "kill": 1, "full": 2, "fail": 3, "tear": 4, "lose": 5}
"""What goes wrong: nothing; the process is killed before the call, or from then on the disk is full, or the call
fails once, or the process is killed with half a write done, or a write is said to be done and is not."""

_SOURCE = Path(__file__).with_name("interpose.c")
_LIBRARY = "ISOCENTER_INTERPOSED"
REFUSED, CRASHED = 10, 11


def run_interposed(module: str, *arguments: str, folder: Path, seconds: float = 3600) -> str:
    """What a module prints that is run with the library loaded; the test is skipped where none can be made."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    library = folder / "interpose.so"
    flags = ["-shared", "-fPIC", "-O1", "-D_LARGEFILE64_SOURCE"]
    subprocess.run([compiler, *flags, "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    root = Path(__file__).parents[2]
    places = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"LD_PRELOAD": str(library), _LIBRARY: str(library), "PYTHONPATH": places}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds, env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@dataclass(frozen=True, slots=True)
class End:
    """How a forked process ended: its signal or 0, its exit code, and how many changes there were."""

    signal: int
    code: int
    seen: int


def fault(
    work: Callable[[], None],
    folder: Path,
    kind: str,
    at: int = 0,
    *,
    refusals: tuple[type[BaseException], ...] = (),
    log: Path | None = None,
    only_protocol: bool = False,
) -> End:
    """Do some work in a forked process, in which the change number `at` below a folder goes wrong.

    `only_protocol` counts what makes, syncs, names and removes files, and not what is written to them.
    """
    report, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(report)
        library = ctypes.CDLL(os.environ[_LIBRARY])
        log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if log else -1
        library.interpose_arm(os.fsencode(folder), ctypes.c_long(at), KINDS[kind], log_fd, int(only_protocol))
        code = 0
        try:
            work()
        except refusals:
            code = REFUSED
        except BaseException as error:  # noqa: BLE001 - whatever it was is told
            sys.stderr.write(f"{kind} at {at}: {error!r}\n")
            code = CRASHED
        gc.collect()
        os.write(write, str(library.interpose_seen()).encode())
        os._exit(code)
    os.close(write)
    with os.fdopen(report) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return End(died, os.WEXITSTATUS(status) if not died else 0, int(said or 0))


def killed_after(work: Callable[[], None], seconds: float) -> End:
    """Do some work in a forked process that is killed after a while; it may be done by then."""
    child = os.fork()
    if child == 0:
        signal.setitimer(
            signal.ITIMER_REAL, max(seconds, 1e-4)
        )  # nobody handles it: it ends us wherever we are
        code = 0
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - whatever it was is told
            sys.stderr.write(f"{error!r}\n")
            code = CRASHED
        os._exit(code)
    _, status = os.waitpid(child, 0)
    died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return End(died, os.WEXITSTATUS(status) if not died else 0, 0)
