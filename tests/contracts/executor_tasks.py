"""Work for the executors' contract suite: functions that a worker process can import."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from isocenter.base.errors import FormatError


def double(item: int) -> int:
    return 2 * item


def fail_on_odd(item: int) -> int:
    if item % 2:
        raise ValueError(f"secret-{item}")
    return item


def refuse(item: int) -> int:
    raise FormatError("file/corrupt", f"item {item} is broken", measured=1, expected=2)


def leave(item: int) -> int:
    if item == 1:
        sys.exit(4)
    return item


def unpicklable(item: int) -> Any:
    return threading.Lock() if item == 1 else item


def kill_on_three(item: int) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def kill_always(_item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def kill_first_time(item: tuple[int, str]) -> int:
    """Dies on its first call for an item, as a process that lacked memory beside others would."""
    number, marks = item
    mark = Path(marks) / str(number)
    if number % 4 == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def log_call(item: tuple[int, str]) -> int:
    """Leaves one line per call, and kills its process for item 3."""
    number, log = item
    with Path(log).open("a") as file:
        file.write(f"{number}\n")
    return kill_on_three(number)


def last_first(item: tuple[int, str]) -> int:
    """Item 0 ends only after item 1 has."""
    number, fifo = item
    if number == 0:
        with Path(fifo).open() as file:  # waits for the writer
            file.read()
    if number == 1:
        with Path(fifo).open("w") as file:
            file.write("done")
    return number


def threads_allowed(_item: int) -> tuple[str, str]:
    return os.environ["OPENBLAS_NUM_THREADS"], os.environ["NUMBA_NUM_THREADS"]


def interrupt_itself(item: int) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return item


def process_id(_item: int) -> int:
    return os.getpid()


def big(item: int) -> bytes:
    return bytes([item % 251]) * (1 << 20)


def hang(item: int) -> int:
    sys.stdout.write(f"begun {item}\n")
    sys.stdout.flush()
    while True:
        threading.Event().wait(60)
