"""What the processes executor promises beyond the contract: whose fault a killed worker was."""

import contextlib
import importlib
import multiprocessing
import os
import random
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from isocenter.executors.executor import EXECUTORS

sys.path.insert(0, str(Path(__file__).parents[3] / "contracts"))
tasks = importlib.import_module("executor_tasks")
PROCESSES = EXECUTORS.get("processes")


def test_only_the_item_that_killed_is_called_again(tmp_path):
    log = tmp_path / "log"
    outcomes = list(PROCESSES.map(tasks.log_call, [(n, str(log)) for n in range(12)], jobs=3))
    assert [o.value is None for o in outcomes].index(True) == 3
    assert Counter(log.read_text().split()) == {str(n): 2 if n == 3 else 1 for n in range(12)}


def test_at_most_the_allowed_number_of_workers_runs():
    outcomes = PROCESSES.map(tasks.process_id, range(50), jobs=2)
    assert len({o.value for o in outcomes}) <= 2


def test_no_worker_is_started_for_an_item_that_is_not_there():
    outcomes = PROCESSES.map(tasks.process_id, range(1), jobs=2)
    next(outcomes)
    assert len(multiprocessing.active_children()) == 1
    outcomes.close()
    assert multiprocessing.active_children() == []


def test_workers_that_were_killed_while_idle_cost_nothing():
    outcomes = PROCESSES.map(tasks.process_id, paused(kill_children), jobs=2)
    assert all(o.failure is None for o in outcomes)


def test_an_interrupt_in_the_callers_loop_ends_the_workers():
    def loop():
        for _ in PROCESSES.map(tasks.double, range(100), jobs=2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("seed", range(3))
def test_workers_killed_at_any_moment_never_lose_or_mix_up_an_item(seed):
    """Kills from outside strike at random: while idle, starting, working, or half through a message."""
    stop = threading.Event()
    lot = random.Random(seed)

    def strike():
        while not stop.wait(lot.uniform(0, 0.1)):
            kill_children(lot)

    thread = threading.Thread(target=strike)
    outcomes = PROCESSES.map(tasks.big, range(40), jobs=3)
    found = [next(outcomes)]  # a worker has started: from now on a death is an item's, not the script's
    thread.start()
    found += outcomes
    stop.set()
    thread.join()
    assert len(found) == 40
    for number, outcome in enumerate(found):
        if outcome.failure is None:
            assert outcome.value == tasks.big(number)
        else:
            assert outcome.failure.kind == "WorkerDied"


def paused(then):
    """Items between which something happens to the idle workers."""
    yield from range(4)
    for number in range(20):
        if number == 15:
            then()
        yield number


def kill_children(lot=None):
    # Found in /proc, because `active_children` would take the ended ones from the executor.
    me = os.getpid()
    children = [int(c) for c in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    children = [c for c in children if b"spawn_main" in command_of(c)]
    for child in [lot.choice(children)] if lot and children else children:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(child, signal.SIGKILL)


def command_of(child):
    try:
        return Path(f"/proc/{child}/cmdline").read_bytes()
    except OSError:
        return b""
