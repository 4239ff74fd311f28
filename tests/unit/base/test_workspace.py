import os
import signal
import subprocess
import sys

import pytest

from isocenter.base.errors import ConfigError, RunError, StaleArtefact
from isocenter.base.workspace import Workspace

HOLD = """
import sys
from pathlib import Path
from isocenter.base.workspace import Workspace
with Workspace(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the workspace."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_run_is_refused_while_the_first_lives(tmp_path, holder):
    with pytest.raises(RunError, match="another run"), Workspace(tmp_path).lock():
        pass
    holder.communicate("")
    with Workspace(tmp_path).lock():
        pass


def test_the_hold_of_a_dead_process_is_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Workspace(tmp_path).lock():
        assert (tmp_path / ".lock").exists()


def test_the_lock_is_let_go_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), Workspace(tmp_path).lock():
        raise ZeroDivisionError
    with Workspace(tmp_path).lock():
        pass


def test_what_a_killed_run_half_wrote_is_removed(tmp_path):
    (tmp_path / "store/shards").mkdir(parents=True)
    half = tmp_path / "store/shards/.00001.h5.tmp-4711"
    half.write_bytes(b"half")
    (tmp_path / "store/shards/00001.h5").write_bytes(b"whole")
    with Workspace(tmp_path).lock():
        assert not half.exists()
        assert (tmp_path / "store/shards/00001.h5").exists()


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    place = Workspace(tmp_path / "work")
    old = os.umask(0)
    try:
        name = place.pseudonyms().of("sub", "P-17")
    finally:
        os.umask(old)
    key = tmp_path / "work" / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text())) == 32
    assert Workspace(tmp_path / "work").pseudonyms().of("sub", "P-17") == name
    assert Workspace(tmp_path / "other").pseudonyms().of("sub", "P-17") != name


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("ab" * 32, 0o644, "chmod 600"),
        ("ab" * 15, 0o600, "too short"),
        ("no hex", 0o600, "hexadecimal"),
        ("\xe4", 0o600, "hexadecimal"),
    ],
)
def test_a_key_that_will_not_do_is_refused(tmp_path, text, mode, told):
    (tmp_path / "secret.key").write_text(text)
    (tmp_path / "secret.key").chmod(mode)
    with pytest.raises(ConfigError, match=told):
        Workspace(tmp_path).pseudonyms()


def test_a_stage_is_fresh_only_between_finish_and_start(tmp_path):
    place = Workspace(tmp_path)
    key = place.key_of("index", 1, {"a": 1})
    assert not place.is_fresh("index", key)
    place.finish("index", key, counts={"n": 1})
    assert place.is_fresh("index", key)
    assert not place.is_fresh("index", place.key_of("index", 2, {"a": 1}))
    place.start("index")
    assert place.done("index") is None
    with pytest.raises(StaleArtefact, match="isocenter index"):
        place.table("index", "files")
