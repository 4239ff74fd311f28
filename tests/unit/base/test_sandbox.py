import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from isocenter.base.errors import FormatError, RunError
from isocenter.base.sandbox import Sandbox

MODULE = "tests.hostile.confined_calls"


@pytest.fixture(scope="module")
def sandbox():
    out = Sandbox(MODULE, memory_bytes=64 << 20, seconds=20)
    yield out
    out.close()


def reason(call):
    with pytest.raises(FormatError) as caught:
        call()
    return caught.value.reason


def is_alive(number):
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_nothing_starts_before_the_first_call():
    assert Sandbox(MODULE).process_id is None


def test_bytes_come_back_and_what_is_not_written_is_zero(sandbox):
    assert sandbox.call("copy", b"abc", 5) == b"abc\0\0"
    assert sandbox.call("copy", b"x", 5) == b"x\0\0\0\0"
    assert sandbox.call("copy", b"", 0) == b""


def test_the_process_is_used_again(sandbox):
    sandbox.call("copy", b"a", 1)
    first = sandbox.process_id
    assert reason(lambda: sandbox.call("refuse", b"", 1)) == "file/corrupt"
    assert reason(lambda: sandbox.call("no such call", b"", 1)) == "file/corrupt"
    assert sandbox.call("copy", b"a", 1) == b"a"
    assert sandbox.process_id == first


def test_slots_grow(sandbox):
    for size in (1, 5 << 20, 80 << 20, 3):
        data = os.urandom(size)
        assert sandbox.call("copy", data, size) == data


def test_answers_belong_to_their_calls(sandbox):
    calls = [sandbox.begin("copy", bytes([n]) * 100, 100) for n in range(20)]
    order = [3, 19, *(n for n in range(20) if n not in {3, 19})]
    assert all(calls[n].result() == bytes([n]) * 100 for n in order)
    assert calls[3].result() == bytes([3]) * 100


def test_threads_share_a_process(sandbox):
    wrong = []

    def work(n):
        for k in range(50):
            data = bytes([n, k]) * 50
            if sandbox.call("copy", data, 100) != data:
                wrong.append((n, k))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forgotten_call_holds_nothing_up(sandbox):
    for _ in range(5):
        sandbox.begin("copy", b"abc", 3)
    assert sandbox.call("copy", b"def", 3) == b"def"


def test_what_was_read_into_offered_memory_is_found_there(sandbox):
    calls = []
    for n in range(6):
        with sandbox.offer(1000) as memory:
            memory[:] = bytes([n]) * 1000
            memory[500:503] = b"abc"
            calls.append(sandbox.begin("copy", memory[500 - n : 503], 5 + n))
    assert [bytes(call.result()) for call in calls] == [bytes([n]) * n + b"abc\0\0" for n in range(6)]


def test_two_calls_of_the_same_offered_memory(sandbox):
    with sandbox.offer(6 << 20) as memory:  # more than the memory has to begin with
        memory[-3:] = b"abc"
        calls = [sandbox.begin("copy", memory[-n:], 3) for n in (3, 2)]
    assert [bytes(call.result()) for call in calls] == [b"abc", b"bc\0"]


def test_memory_that_was_offered_and_not_used_is_offered_again(sandbox):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), sandbox.offer(10):
            raise ZeroDivisionError
    other = sandbox.begin("copy", b"def", 3)
    with sandbox.offer(3) as memory:
        memory[:] = b"abc"
        assert sandbox.begin("copy", memory, 3).result() == b"abc"
    assert other.result() == b"def"


def test_offered_memory_outlives_the_process(sandbox):
    sleeping = sandbox.begin("sleep", b"", 1, 500)
    with sandbox.offer(3) as memory:
        memory[:] = b"abc"
        call = sandbox.begin("copy", memory, 3)
    os.kill(sandbox.process_id, signal.SIGKILL)
    assert call.result() == b"abc"
    assert sleeping.result() == b"\0"


def test_the_data_cannot_be_written_to(sandbox):
    with sandbox.offer(3) as memory:
        memory[:] = b"abc"
        call = sandbox.begin("overwrite", memory, 3)
    assert reason(call.result) == "file/decoder-died"
    assert memory == b"abc"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGKILL])
def test_death_is_one_refused_call(sandbox, number):
    before = sandbox.begin("copy", b"abc", 3)
    dead = sandbox.begin("die", b"", 1, number)
    after = sandbox.begin("copy", b"def", 3)
    assert reason(dead.result) == "file/decoder-died"
    assert (before.result(), after.result()) == (b"abc", b"def")


def test_a_process_that_leaves_is_dead_too(sandbox):
    assert reason(lambda: sandbox.call("exit", b"", 1, 0)) == "file/decoder-died"


def test_what_another_killed_is_tried_again(sandbox):
    call = sandbox.begin("sleep", b"", 1, 500)
    os.kill(sandbox.process_id, signal.SIGKILL)
    assert call.result() == b"\0"


def test_an_idle_process_that_was_killed_is_replaced(sandbox):
    sandbox.call("copy", b"", 0)
    number = sandbox.process_id
    os.kill(number, signal.SIGKILL)
    wait_for(lambda: not is_alive(number))
    assert sandbox.call("copy", b"abc", 3) == b"abc"


def test_memory_beyond_the_limit(sandbox):
    assert reason(lambda: sandbox.call("touch", b"", 1, 80 << 20)) == "file/limit"
    assert sandbox.call("touch", b"", 1, 40 << 20) == b"\0"
    assert sandbox.call("copy", bytes(50 << 20), 50 << 20) == bytes(50 << 20)  # what is shared does not count
    outcomes = []
    for _ in range(6):
        try:
            sandbox.call("grow", b"", 1, 20 << 20)
        except FormatError as error:
            outcomes.append(error.reason)
    assert set(outcomes) == {"file/limit"}
    sandbox.close()


@pytest.mark.parametrize("name", ["hang", "sleep"])
def test_time_beyond_the_limit(name):
    sandbox = Sandbox(MODULE, seconds=1)
    slow = sandbox.begin(name, b"", 1, 30_000)
    after = sandbox.begin("copy", b"def", 3)
    assert reason(slow.result) == "file/limit"
    assert after.result() == b"def"
    sandbox.close()


def test_a_process_that_was_stopped_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("isocenter.base.sandbox._GRACE_SECONDS", 0)
    sandbox = Sandbox(MODULE, seconds=2)
    assert reason(lambda: sandbox.call("stop", b"", 1)) == "file/limit"
    assert sandbox.call("copy", b"def", 3) == b"def"
    sandbox.close()


def test_no_core_no_written_file_no_input(sandbox, tmp_path):
    assert sandbox.call("limits", b"", 3) == b"\0\0\1"
    path = tmp_path / "file"
    assert sandbox.call("open", str(path).encode(), 1)[0] < 2
    assert not path.exists() or path.read_bytes() == b""


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="the system has no files in memory")
def test_shared_memory_cannot_be_taken_away(sandbox):
    sandbox.call("copy", b"abc", 3)
    for number in range(3, 12):
        reason_or_none = None
        try:
            sandbox.call("shorten", b"", 1, number)
        except FormatError as error:
            reason_or_none = error.reason
        assert reason_or_none == "file/corrupt", number
    assert sandbox.call("copy", b"abc", 3) == b"abc"


def test_a_module_that_cannot_start():
    for module in ("tests.hostile.there_is_no_such_module", "isocenter.base.seeds"):
        with pytest.raises(RunError):
            Sandbox(module).call("copy", b"", 1)


def test_closing_ends_the_process_and_another_call_starts_one():
    sandbox = Sandbox(MODULE)
    sandbox.close()
    sandbox.call("copy", b"", 0)
    number = sandbox.process_id
    sandbox.close()
    assert not is_alive(number)
    assert sandbox.call("copy", b"abc", 3) == b"abc"
    sandbox.close()


def test_an_interrupt_leaves_no_half_message(monkeypatch):
    sandbox = Sandbox(MODULE)
    sandbox.call("copy", b"", 0)

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("isocenter.base.sandbox._Child.read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sandbox.call("copy", b"abc", 3)
    assert sandbox.process_id is None
    assert sandbox.call("copy", b"def", 3) == b"def"
    sandbox.close()


def test_no_file_stays_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        sandbox = Sandbox(MODULE)
        sandbox.call("copy", b"abc", 3)
        sandbox.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


PARENT = """
import os, sys
from isocenter.base.sandbox import Sandbox
if __name__ == "__main__":
    sandbox = Sandbox("tests.hostile.confined_calls")
    sandbox.call("copy", b"abc", 3)
    {and_then}
"""


def parent(and_then):
    """A process of its own that uses a sandbox, and what it says."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    code = PARENT.format(and_then=and_then)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)


@pytest.mark.parametrize("busy", [False, True])
def test_the_process_does_not_outlive_a_killed_parent(busy):
    """A busy one ends when its call does."""
    begin = "sandbox.begin('sleep', b'', 1, 300); " if busy else ""
    with parent(f"{begin}print(sandbox.process_id, flush=True); sys.stdin.read()" + "; input()") as process:
        number = int(process.stdout.readline())
        process.kill()
        process.wait()
        wait_for(lambda: not is_alive(number))


def test_the_process_ends_with_its_parent():
    with parent("print(sandbox.process_id, flush=True)") as process:
        number = int(process.stdout.readline())
        assert process.wait(30) == 0
        wait_for(lambda: not is_alive(number))


def test_a_fork_starts_a_process_of_its_own():
    code = """
    first = sandbox.process_id
    child = os.fork()
    if child == 0:
        ok = sandbox.process_id is None and sandbox.call("copy", b"def", 3) == b"def" and sandbox.process_id != first
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sandbox.call("copy", b"abc", 3) == b"abc" and sandbox.process_id == first
    """
    with parent(code.strip()) as process:
        process.communicate()
        assert process.returncode == 0
