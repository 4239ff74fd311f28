"""Every executor keeps the contract of `isocenter.executors.executor`."""

import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from isocenter.base.errors import ConfigError
from isocenter.executors.executor import EXECUTORS

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # workers must find the functions by their module's name
tasks = importlib.import_module("executor_tasks")
ALL = EXECUTORS.names()
IN_CHILDREN = [name for name in ALL if name != "serial"]

MAIN = """
import sys
sys.path.insert(0, {here!r})
import executor_tasks
from isocenter.executors.executor import EXECUTORS

if __name__ == "__main__":
    for outcome in EXECUTORS.get({name!r}).map(executor_tasks.{task}, range(6), jobs=2):
        print(outcome, flush=True)
"""


@pytest.mark.parametrize("name", ALL)
class TestEveryExecutor:
    @pytest.mark.parametrize("jobs", [1, 3])
    def test_outcomes_come_in_the_order_of_the_items(self, name: str, jobs: int) -> None:
        outcomes = EXECUTORS.get(name).map(tasks.double, range(40), jobs=jobs)
        assert [o.value for o in outcomes] == [2 * n for n in range(40)]

    def test_no_items_no_outcomes(self, name: str) -> None:
        assert list(EXECUTORS.get(name).map(tasks.double, [], jobs=2)) == []

    def test_an_exception_is_the_failure_of_its_item_alone(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.fail_on_odd, range(6), jobs=2))
        assert [o.value for o in outcomes] == [0, None, 2, None, 4, None]
        failures = [o.failure for o in outcomes if o.failure]
        assert [f.kind for f in failures] == ["ValueError"] * 3
        assert "fail_on_odd" in failures[0].where

    def test_the_text_of_a_foreign_exception_does_not_travel(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.fail_on_odd, [1], jobs=1))
        assert "secret" not in repr(outcomes)

    def test_the_text_of_an_error_of_ours_is_kept(self, name: str) -> None:
        (outcome,) = EXECUTORS.get(name).map(tasks.refuse, [7], jobs=1)
        assert outcome.failure is not None
        assert (outcome.failure.kind, outcome.failure.message) == ("FormatError", "item 7 is broken")

    def test_an_item_that_asks_to_exit_does_not_end_the_run(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.leave, range(3), jobs=2))
        assert [o.value for o in outcomes] == [0, None, 2]
        assert outcomes[1].failure is not None
        assert outcomes[1].failure.kind == "SystemExit"

    def test_items_are_taken_as_they_are_needed(self, name: str) -> None:
        taken: list[int] = []
        outcomes = EXECUTORS.get(name).map(tasks.double, noting(taken, 10_000), jobs=2)
        for _ in range(5):
            next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        assert len(taken) <= 5 + 2 * 8

    def test_an_iterable_that_breaks_is_the_callers_error(self, name: str) -> None:
        def items() -> Iterator[int]:
            yield 1
            raise RuntimeError("broken source")

        with pytest.raises(RuntimeError, match="broken source"):
            list(EXECUTORS.get(name).map(tasks.double, items(), jobs=2))

    def test_fewer_than_one_job_is_a_bad_call(self, name: str) -> None:
        with pytest.raises(ConfigError):
            list(EXECUTORS.get(name).map(tasks.double, range(3), jobs=0))


@pytest.mark.parametrize("name", IN_CHILDREN)
class TestExecutorsWithWorkers:
    def test_a_killed_worker_costs_only_its_own_item(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.kill_on_three, range(12), jobs=3))
        assert [o.value for o in outcomes] == [0, 1, 2, None, 4, 5, 6, 7, 8, 9, 10, 11]
        assert outcomes[3].failure is not None
        assert outcomes[3].failure.kind == "WorkerDied"

    def test_items_that_kill_every_worker_are_all_told(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.kill_always, range(3), jobs=2))
        assert [o.failure.kind for o in outcomes if o.failure] == ["WorkerDied"] * 3

    def test_what_was_killed_beside_others_may_succeed_alone(self, name: str, tmp_path: Path) -> None:
        items = [(n, str(tmp_path)) for n in range(10)]
        outcomes = list(EXECUTORS.get(name).map(tasks.kill_first_time, items, jobs=3))
        assert [o.value for o in outcomes] == list(range(10))

    def test_a_slow_first_item_does_not_stop_the_others(self, name: str, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        items = [(n, str(tmp_path / "fifo")) for n in range(5)]
        outcomes = EXECUTORS.get(name).map(tasks.last_first, items, jobs=2)
        assert [o.value for o in outcomes] == list(range(5))

    def test_big_results_and_items_pass(self, name: str) -> None:
        outcomes = EXECUTORS.get(name).map(tasks.big, range(9), jobs=2)
        assert [o.value for o in outcomes] == [tasks.big(n) for n in range(9)]
        outcomes = EXECUTORS.get(name).map(len, [b"x" * (1 << 20)] * 9, jobs=2)
        assert [o.value for o in outcomes] == [1 << 20] * 9

    def test_what_cannot_be_sent_is_the_failure_of_its_item(self, name: str) -> None:
        outcomes = list(EXECUTORS.get(name).map(tasks.unpicklable, range(3), jobs=2))
        assert [o.value for o in outcomes] == [0, None, 2]
        outcomes = list(EXECUTORS.get(name).map(type, [1, threading.Lock(), "a"], jobs=2))
        assert [o.value for o in outcomes] == [int, None, str]

    def test_work_is_done_in_several_other_processes(self, name: str) -> None:
        found = {o.value for o in EXECUTORS.get(name).map(tasks.process_id, range(200), jobs=2)}
        assert os.getpid() not in found

    def test_numerical_libraries_get_one_thread_and_ours_are_left_alone(self, name: str) -> None:
        before = dict(os.environ)
        (outcome,) = EXECUTORS.get(name).map(tasks.threads_allowed, [0], jobs=1)
        assert outcome.value == ("1", "1")
        assert dict(os.environ) == before

    def test_an_interrupt_that_reaches_a_worker_is_left_to_the_parent(self, name: str) -> None:
        outcomes = EXECUTORS.get(name).map(tasks.interrupt_itself, range(4), jobs=2)
        assert [o.value for o in outcomes] == [0, 1, 2, 3]

    @pytest.mark.parametrize("to_group", [True, False], ids=["as Ctrl-C does", "to the parent alone"])
    def test_an_interrupt_leaves_no_worker_behind(self, name: str, to_group: bool, tmp_path: Path) -> None:
        run = start_hanging(name, tmp_path)
        if to_group:
            os.killpg(run.pid, signal.SIGINT)
        else:
            run.send_signal(signal.SIGINT)
        # The workers hold the same stdout: the pipe ends only when the last of them is gone.
        _, said = run.communicate(timeout=60)
        assert run.returncode == -signal.SIGINT
        assert said.count(b"KeyboardInterrupt") == 1

    def test_a_killed_parent_leaves_no_worker_behind(self, name: str, tmp_path: Path) -> None:
        run = start_hanging(name, tmp_path)
        run.kill()
        run.communicate(timeout=60)

    def test_an_iterator_that_is_never_finished_does_not_keep_the_interpreter(
        self, name: str, tmp_path: Path
    ) -> None:
        text = MAIN.format(here=str(HERE), name=name, task="double").replace("for outcome in", "outcomes =")
        script = tmp_path / "main.py"
        script.write_text(
            text.replace("jobs=2):", "jobs=2)").replace("        print(outcome", "    print(next(outcomes)")
        )
        run = subprocess.run([sys.executable, script], capture_output=True, timeout=60, check=True)
        assert b"value=0" in run.stdout

    def test_a_script_without_a_guard_is_told_so(self, name: str, tmp_path: Path) -> None:
        script = tmp_path / "main.py"
        text = MAIN.format(here=str(HERE), name=name, task="double")
        script.write_text(text.replace('if __name__ == "__main__":', "if True:"))
        run = subprocess.run([sys.executable, script], capture_output=True, timeout=60, check=False)
        assert run.returncode == 1
        assert b"no worker process can start" in run.stderr


def noting(taken: list[int], size: int) -> Iterator[int]:
    for number in range(size):
        taken.append(number)
        yield number


def start_hanging(name: str, folder: Path) -> subprocess.Popen[bytes]:
    """A Python that runs hanging items in two workers, both of which have begun."""
    script = folder / "main.py"
    script.write_text(MAIN.format(here=str(HERE), name=name, task="hang"))
    run = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert run.stdout is not None
    begun = {run.stdout.readline() for _ in range(2)}
    assert begun == {b"begun 0\n", b"begun 1\n"}
    return run
