"""A shard is the old one or the new one, whatever goes wrong while it is written, and done again it is as if nothing had.

Every change of a file is a step at which the process is killed, a write fails, the disk is full. Every sixth step by
default; ISOCENTER_FAULT_STEP names another stride.
"""

import json
import os

import pytest

from isocenter.stores.shard import BACKENDS
from tests.faults.interposed import run_interposed

STEP = int(os.environ.get("ISOCENTER_FAULT_STEP", "6"))


def faulted(tmp_path, backend, kind, step=STEP):
    said = run_interposed("tests.faults.shards", backend, str(tmp_path), kind, str(step), folder=tmp_path)
    return json.loads(said)


@pytest.mark.parametrize("kind", ["kill", "tear", "full", "fail", "lose"])
@pytest.mark.parametrize("backend", BACKENDS.names())
def test_a_shard_is_old_or_new_whatever_goes_wrong(backend, kind, tmp_path, record_property):
    told = faulted(tmp_path, backend, kind)
    assert told["wrong"] == []
    assert told["steps"] >= 15
    bad = {"kill": ["killed"], "tear": ["killed"], "lose": ["refused", "killed"]}.get(kind, ["refused"])
    assert sum(told["ends"].get(end, 0) for end in bad) > 0
    assert sum(told["ends"].values()) == len(range(1, told["steps"] + 2, STEP))
    record_property(f"faults of the kind {kind}", str(sum(told["ends"].values())))


@pytest.mark.parametrize("backend", BACKENDS.names())
def test_the_bytes_are_on_the_disk_before_the_name_is_and_then_the_name(backend, tmp_path):
    """After a loss of power the name may be missing, but it can never be that of a file that is not whole."""
    changes = faulted(tmp_path, backend, "count", step=10**6)["changes"]
    final = f"00000.{BACKENDS.get(backend).suffix}"
    (at,) = (n for n, (what, _, to) in enumerate(changes) if what == "rename" and to == final)
    names = {changes[at][1]}
    for what, name, to in reversed(changes[:at]):
        if what == "rename" and to in names:
            names.add(name)
    before = [
        what for what, name, _ in changes[:at] if name in names and what in {"write", "truncate", "sync"}
    ]
    assert before.count("write") > 0
    assert before[-1] == "sync"
    assert changes[at + 1 : at + 2] == [["sync", "shards", ""]]
